//! The versions of the template language. Pure.

use std::fmt;

/// A version, in the order of their dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// 2013-05-23, Icehouse.
    V2013,
    /// 2014-10-16, Juno.
    V2014,
    /// 2015-04-30, Kilo.
    V2015Kilo,
    /// 2015-10-15, Liberty.
    V2015Liberty,
    /// 2016-04-08, Mitaka.
    V2016Mitaka,
    /// 2016-10-14, Newton.
    V2016Newton,
    /// 2017-02-24, Ocata.
    V2017Ocata,
    /// 2017-09-01, Pike.
    V2017Pike,
    /// 2018-03-02, Queens.
    V2018Queens,
    /// 2018-08-31, Rocky.
    V2018Rocky,
    /// 2021-04-16, Wallaby.
    V2021,
}

/// Each version with its date, and its name where a template may say that instead.
const ALL: &[(Version, &str, &str)] = &[
    (Version::V2013, "2013-05-23", ""),
    (Version::V2014, "2014-10-16", ""),
    (Version::V2015Kilo, "2015-04-30", ""),
    (Version::V2015Liberty, "2015-10-15", ""),
    (Version::V2016Mitaka, "2016-04-08", ""),
    (Version::V2016Newton, "2016-10-14", "newton"),
    (Version::V2017Ocata, "2017-02-24", "ocata"),
    (Version::V2017Pike, "2017-09-01", "pike"),
    (Version::V2018Queens, "2018-03-02", "queens"),
    (Version::V2018Rocky, "2018-08-31", "rocky"),
    (Version::V2021, "2021-04-16", "wallaby"),
];

impl Version {
    /// The newest.
    pub const NEWEST: Version = Version::V2021;

    /// The version of this date or name.
    pub fn parse(text: &str) -> Option<Version> {
        let is = |(_, date, name): &&(Version, &str, &str)| *date == text || (!name.is_empty() && *name == text);
        ALL.iter().find(is).map(|(version, ..)| *version)
    }

    /// All of them, oldest first.
    pub fn all() -> impl Iterator<Item = Version> {
        ALL.iter().map(|(version, ..)| *version)
    }

    /// The date.
    pub fn date(self) -> &'static str {
        ALL.iter().find(|(version, ..)| *version == self).map_or("", |(_, date, _)| date)
    }

    /// The dates and names that a template may say.
    pub(super) fn known() -> String {
        let shown = |(_, date, name): &(Version, &str, &str)| match name.is_empty() {
            true => (*date).to_owned(),
            false => format!("{date} ({name})"),
        };
        ALL.iter().map(shown).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.date())
    }
}
