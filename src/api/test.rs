//! How the rows of a list show that a filter was kept to, as data. The service's own filters match by prefix, ignore
//! some values and know others by another meaning, so each row is compared again.

/// What a row shows of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// It is no filter: it says how many rows there are, or what each of them has.
    Nothing,
    /// Rows cannot show it, and the service validates it, so that one that is not understood is refused.
    Service,
    /// The row's field is this text; `*` and `?` stand for anything.
    Text(&'static str),
    /// The same, and there are words of which the list is not asked: the service refuses those.
    Word(&'static str, &'static [&'static str]),
    /// The row's field is this id, or that of what has this name.
    Id(&'static str),
    /// The row's field is one of these texts, with commas between, or holds one of them.
    Among(&'static str),
    /// The row's field is this moment, in milliseconds since 1970.
    Moment(&'static str),
    /// The row's field begins with this text; a glob is of all of it.
    Begins(&'static str),
    /// The row's field is this number.
    Number(&'static str),
    /// The row's field is true or false; what is not there is false.
    Bool(&'static str),
    /// The row's field is this state. First what the list is asked for with each word; then what shows the rows of all
    /// other states, where the list leaves some out.
    State(&'static [State], Option<(&'static str, &'static str)>),
    /// A member of this object has this value.
    Member(&'static str),
    /// This object has any member. It is never asked for: the service would drop all other filters.
    Filled(&'static str),
}

impl Test {
    /// The field of the row.
    pub fn field(self) -> Option<&'static str> {
        match self {
            Test::Nothing | Test::Service => None,
            Test::State(..) => Some("state"),
            Test::Text(field)
            | Test::Word(field, _)
            | Test::Id(field)
            | Test::Among(field)
            | Test::Moment(field)
            | Test::Begins(field)
            | Test::Number(field)
            | Test::Bool(field)
            | Test::Member(field)
            | Test::Filled(field) => Some(field),
        }
    }

    /// Whether each row has the field, so that one without it says nothing of whether it fits.
    pub fn must_be_seen(self) -> bool {
        match self {
            Test::Text(_) | Test::Word(..) | Test::Id(_) | Test::Begins(_) | Test::Number(_) | Test::State(..) => true,
            Test::Moment(_) => true,
            Test::Nothing | Test::Service | Test::Among(_) | Test::Bool(_) | Test::Member(_) | Test::Filled(_) => false,
        }
    }
}

/// A state that a list can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// What is typed.
    pub word: &'static str,
    /// What a row has then.
    pub shown: &'static str,
    /// The query that asks for them, if there is one by which none of them is left out.
    pub query: Option<(&'static str, &'static str)>,
}

/// A state that the list itself can be narrowed to.
pub const fn state(word: &'static str) -> State {
    State { word, shown: word, query: Some(("state", word)) }
}

impl State {
    /// Is asked for otherwise.
    pub const fn by(mut self, name: &'static str, value: &'static str) -> Self {
        self.query = Some((name, value));
        self
    }
    /// Is in the list anyhow, and cannot be asked for.
    pub const fn unasked(mut self) -> Self {
        self.query = None;
        self
    }
    /// Is called otherwise in a row.
    pub const fn shown(mut self, shown: &'static str) -> Self {
        self.shown = shown;
        self
    }
}
