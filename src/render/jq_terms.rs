//! The expression of `--jq` and jaq's own definitions, mended: where jaq makes other values than jq, a filter of
//! `jq_values` stands in the place or behind, and what makes values deeper or calls itself asks `jq_bounds`.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::ops;
use jaq_core::path::{Opt, Part, Path};

use super::jq_builtins::{FIRST, LAST, OURS, is_kept, read};

/// Names for the parts of a text that may be several.
const PARTS: &[&str] = &["$__0", "$__1", "$__2", "$__3", "$__4", "$__5", "$__6", "$__7"];

/// jaq's definitions, and the expression's own, with our values in them.
pub(super) fn mended<'s>(
    defs: impl Iterator<Item = Def<&'static str>>,
    main: Def<&'s str>,
) -> impl Iterator<Item = Def<&'s str>> {
    let mut ours = read(OURS);
    let same = |a: &Def<&str>, b: &Def<&str>| a.name == b.name && a.args.len() == b.args.len();
    let own = move |def: Def<&'static str>| -> Def<&'s str> {
        match ours.iter().position(|own| same(own, &def)) {
            Some(at) => ours.remove(at),
            None => def,
        }
    };
    let kept = defs.filter(|def| is_kept(def.name)).map(own);
    read(FIRST).into_iter().chain(kept).chain(read(LAST)).chain([main]).map(definition)
}

/// A definition that may call itself asks whether there is room for it.
fn definition(def: Def<&str>) -> Def<&str> {
    let body = term(def.body);
    Def { body: Term::BinOp(Box::new(call("__call", [])), BinaryOp::Pipe(None), Box::new(body)), ..def }
}

/// In jq a parameter `$x` is a filter `x` too.
fn with_filters(def: Def<&str>) -> Def<&str> {
    let names = def.args.iter().filter_map(|arg| Some((arg.strip_prefix('$')?, *arg)));
    let filters: Vec<_> = names.map(|(name, arg)| Def { name, args: Vec::new(), body: Term::Var(arg) }).collect();
    match filters.is_empty() {
        true => def,
        false => Def { body: Term::Def(filters, Box::new(def.body)), ..def },
    }
}

fn boxed(inner: Term<&str>) -> Box<Term<&str>> {
    Box::new(term(inner))
}

fn call<'s>(filter: &'static str, args: impl IntoIterator<Item = Term<&'s str>>) -> Term<&'s str> {
    Term::Call(filter, args.into_iter().collect())
}

fn pipe<'s>(left: Term<&'s str>, right: Term<&'s str>) -> Term<&'s str> {
    Term::BinOp(Box::new(left), BinaryOp::Pipe(None), Box::new(right))
}

/// `VALUE | FILTER`.
fn through<'s>(value: Term<&'s str>, filter: &'static str) -> Term<&'s str> {
    pipe(value, call(filter, []))
}

/// `VALUE as $NAME | BODY`, which is `BODY` of the value itself where that is a single one.
fn with<'s>(
    value: Term<&'s str>,
    name: &'static str,
    body: impl FnOnce(Term<&'s str>) -> Term<&'s str>,
) -> Term<&'s str> {
    match value {
        single @ (Term::Num(_) | Term::Var(_)) => body(single),
        value => {
            let pattern = BinaryOp::Pipe(Some(Pattern::Var(name)));
            Term::BinOp(Box::new(value), pattern, Box::new(body(Term::Var(name))))
        }
    }
}

/// The same term, in which keys are checked, whole quotients are whole, and texts are made of values as jq makes them.
fn term(this: Term<&str>) -> Term<&str> {
    match this {
        Term::Obj(entries) if entries.is_empty() => Term::Obj(entries),
        Term::Obj(entries) => through(Term::Obj(entries.into_iter().map(entry).collect()), "__made"),
        Term::BinOp(left, BinaryOp::Math(op), right) => product(term(*left), op, term(*right)),
        Term::BinOp(left, op @ BinaryOp::Cmp(_), right) => {
            with(term(*right), "$__right", |right| Term::BinOp(boxed(*left), op, Box::new(right)))
        }
        Term::BinOp(left, op @ (BinaryOp::Assign | BinaryOp::Update | BinaryOp::UpdateAlt), right) => {
            if matches!((&op, &*right), (BinaryOp::Update, Term::Call("empty", args)) if args.is_empty()) {
                return call("__delpaths", [term(Term::Arr(Some(Box::new(call("path", [*left])))))]);
            }
            update(*left, op, *right)
        }
        Term::BinOp(left, BinaryOp::UpdateMath(op), right) => {
            with(term(*right), "$__by", |by| changed(*left, BinaryOp::Update, product(Term::Id, op, by)))
        }
        Term::BinOp(left, BinaryOp::Pipe(Some(pattern)), right) => {
            let left = listed(term(*left), &pattern);
            Term::BinOp(Box::new(left), BinaryOp::Pipe(Some(pattern)), boxed(*right))
        }
        Term::BinOp(left, op, right) => Term::BinOp(boxed(*left), op, boxed(*right)),
        Term::Str(format, parts) => text(format, parts),
        Term::Arr(None) => Term::Arr(None),
        Term::Arr(inner) => through(Term::Arr(inner.map(|inner| boxed(*inner))), "__made"),
        Term::Neg(inner) => Term::Neg(boxed(*inner)),
        Term::Label(name, inner) => Term::Label(name, boxed(*inner)),
        Term::Fold(name, from, pattern, then) => {
            // Of several results jq goes on with the last, and of none with null.
            let last = |one: Term<_>| {
                let minus = Term::Neg(Box::new(Term::Num("1")));
                Term::Path(Box::new(Term::Arr(Some(Box::new(one)))), Path(vec![(Part::Index(minus), Opt::Essential)]))
            };
            let update = |(at, one): (usize, Term<_>)| match name == "reduce" && at == 1 && !is_single(&one) {
                true => last(term(one)),
                false => term(one),
            };
            let from = listed(term(*from), &pattern);
            Term::Fold(name, Box::new(from), pattern, then.into_iter().enumerate().map(update).collect())
        }
        Term::TryCatch(inner, catch) => Term::TryCatch(boxed(*inner), catch.map(|inner| boxed(*inner))),
        Term::IfThenElse(cases, other) => Term::IfThenElse(
            cases.into_iter().map(|(when, then)| (term(when), term(then))).collect(),
            other.map(|inner| boxed(*inner)),
        ),
        Term::Def(defs, inner) => {
            Term::Def(defs.into_iter().map(with_filters).map(definition).collect(), boxed(*inner))
        }
        Term::Call(name, args) => Term::Call(name, args.into_iter().map(term).collect()),
        Term::Path(inner, Path(parts)) => path(term(*inner), parts, false),
        other @ (Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_)) => other,
    }
}

/// `LEFT |= RIGHT` and the like. As in jq, the first result of the right one counts.
fn update<'s>(left: Term<&'s str>, op: BinaryOp<&'s str>, right: Term<&'s str>) -> Term<&'s str> {
    let (single, right) = (is_single(&right), term(right));
    match op {
        BinaryOp::Update if !single => changed(left, op, call("first", [right])),
        BinaryOp::Assign if needs_paths(&left) => with(right, "$__by", |by| changed(left, BinaryOp::Update, by)),
        op => changed(left, op, right),
    }
}

fn changed<'s>(left: Term<&'s str>, op: BinaryOp<&'s str>, right: Term<&'s str>) -> Term<&'s str> {
    match op {
        BinaryOp::Update if needs_paths(&left) => call("__modify", [term(left), right]),
        op => through(Term::BinOp(Box::new(place(left)), op, Box::new(right)), "__made"),
    }
}

/// Whether jaq changes nothing behind this, although it finds the paths.
fn needs_paths(this: &Term<&str>) -> bool {
    match this {
        Term::Label(..) => true,
        Term::Call(name, args) => matches!((*name, args.len()), ("first" | "last", 1) | ("limit" | "nth" | "until", 2)),
        Term::BinOp(left, BinaryOp::Pipe(_) | BinaryOp::Comma, right) => needs_paths(left) || needs_paths(right),
        Term::Path(inner, _) | Term::TryCatch(inner, _) => needs_paths(inner),
        _ => false,
    }
}

/// What is taken apart as an array must not be an object.
fn listed<'s>(value: Term<&'s str>, pattern: &Pattern<&'s str>) -> Term<&'s str> {
    match pattern {
        Pattern::Arr(_) => pipe(value, call("__known", [Term::Num("0")])),
        _ => value,
    }
}

/// A text with values in it. As in jq, the last of them goes round last.
fn text<'s>(format: Option<&'s str>, parts: Vec<StrPart<&'s str, Term<&'s str>>>) -> Term<&'s str> {
    let plain = format.is_none();
    let mut several = Vec::new();
    let part = |part| match part {
        StrPart::Term(inner) => {
            let name = PARTS.get(several.len()).filter(|_| !is_single(&inner));
            let inner = match name {
                Some(name) => {
                    several.push((*name, term(inner)));
                    Term::Var(*name)
                }
                None => term(inner),
            };
            StrPart::Term(if plain { through(inner, "__text") } else { inner })
        }
        other => other,
    };
    let text = Term::Str(format, parts.into_iter().map(part).collect());
    several.into_iter().fold(text, |text, (name, value)| {
        Term::BinOp(Box::new(value), BinaryOp::Pipe(Some(Pattern::Var(name))), Box::new(text))
    })
}

/// Whether a term has one result, as far as can be seen at once.
fn is_single(this: &Term<&str>) -> bool {
    match this {
        Term::Id | Term::Num(_) | Term::Var(_) | Term::Arr(_) => true,
        Term::Str(_, parts) => parts.iter().all(|part| !matches!(part, StrPart::Term(inner) if !is_single(inner))),
        Term::Neg(inner) => is_single(inner),
        Term::Obj(entries) => entries.iter().all(|(key, value)| is_single(key) && value.as_ref().is_none_or(is_single)),
        Term::BinOp(left, BinaryOp::Pipe(_) | BinaryOp::Math(_) | BinaryOp::Cmp(_), right) => {
            is_single(left) && is_single(right)
        }
        Term::BinOp(_, BinaryOp::Assign | BinaryOp::UpdateMath(_), right) => is_single(right),
        Term::BinOp(_, BinaryOp::Update, _) => true,
        Term::IfThenElse(cases, other) => {
            cases.iter().all(|(when, then)| is_single(when) && is_single(then))
                && other.as_deref().is_none_or(is_single)
        }
        Term::Path(inner, Path(parts)) => {
            let one = |part: &Part<Term<&str>>| match part {
                Part::Index(index) => is_single(index),
                Part::Range(None, None) => false,
                Part::Range(from, to) => [from, to].into_iter().flatten().all(is_single),
            };
            is_single(inner) && parts.iter().all(|(part, opt)| matches!(opt, Opt::Essential) && one(part))
        }
        _ => false,
    }
}

fn entry<'s>((key, value): (Term<&'s str>, Option<Term<&'s str>>)) -> (Term<&'s str>, Option<Term<&'s str>>) {
    match (key, value) {
        (key @ Term::Str(..), value) => (term(key), value.map(term)),
        (key, Some(value)) => (through(term(key), "__key"), Some(term(value))),
        (key, None) => (term(key), None),
    }
}

/// Two mended terms and what is done with them. As in jq, the right one goes round last.
fn product<'s>(left: Term<&'s str>, op: ops::Math, right: Term<&'s str>) -> Term<&'s str> {
    let plain = |left, right| Term::BinOp(Box::new(left), BinaryOp::Math(op), Box::new(right));
    with(right, "$__right", |right| match op {
        ops::Math::Div => pipe(left, call("__divided", [right])),
        // jq has remainders of whole numbers only.
        ops::Math::Rem => plain(through(left, "__int"), through(right, "__int")),
        ops::Math::Mul => pipe(left, call("__times", [right])),
        _ => plain(left, right),
    })
}

/// What stands before a sign of assignment: on the way there, objects and arrays are made of nulls.
fn place(this: Term<&str>) -> Term<&str> {
    match this {
        Term::Path(inner, Path(parts)) => path(place(*inner), parts, true),
        Term::BinOp(left, op @ (BinaryOp::Comma | BinaryOp::Alt), right) => {
            Term::BinOp(Box::new(place(*left)), op, Box::new(place(*right)))
        }
        Term::BinOp(left, BinaryOp::Pipe(None), right) => pipe(place(*left), place(*right)),
        Term::TryCatch(inner, None) => Term::TryCatch(Box::new(place(*inner)), None),
        other => term(other),
    }
}

/// A path, of which each position that may be wrong for what it is in is looked at first: all of them where something
/// is to be `made` there. As in jq, the last position goes round last.
fn path<'s>(inner: Term<&'s str>, mut parts: Vec<(Part<Term<&'s str>>, Opt)>, made: bool) -> Term<&'s str> {
    let Some((part, opt)) = parts.pop() else { return inner };
    let before = path(inner, parts, made);
    let checked = |index: Term<&'s str>, before: Term<&'s str>| {
        let known = call("__known", [index.clone()]);
        let known = match opt {
            Opt::Optional => Term::TryCatch(Box::new(known), None),
            Opt::Essential => known,
        };
        step(pipe(before, known), Part::Index(index), opt)
    };
    match part {
        Part::Range(from, to) => {
            let known = |end: &Option<Term<&str>>| match end {
                None | Some(Term::Num(_)) => true,
                Some(end) => matches!(end, Term::Neg(number) if matches!(**number, Term::Num(_))),
            };
            let (constant, ends) = (known(&from) && known(&to), [(from, "__position"), (to, "__end")]);
            let [from, to] = ends.map(|(end, whole)| end.map(|end| through(term(end), whole)));
            match constant && !(from.is_none() && to.is_none()) {
                // A slice of null is null.
                true => {
                    let none = step(Term::Arr(None), Part::Index(Term::Num("0")), Opt::Essential);
                    let null = Term::BinOp(Box::new(Term::Id), BinaryOp::Cmp(ops::Cmp::Eq), Box::new(none));
                    let slice = step(Term::Id, Part::Range(from, to), opt);
                    pipe(before, Term::IfThenElse(vec![(null, Term::Id)], Some(Box::new(slice))))
                }
                false => step(before, Part::Range(from, to), opt),
            }
        }
        Part::Index(text @ Term::Str(..)) if !made => step(before, Part::Index(term(text)), opt),
        Part::Index(text @ Term::Str(..)) if is_literal(&text) => checked(text, before),
        Part::Index(Term::Num(digits)) if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            checked(Term::Num(digits), before)
        }
        Part::Index(index) => with(through(term(index), "__position"), "$__at", |index| checked(index, before)),
    }
}

/// One step more on a path.
fn step<'s>(before: Term<&'s str>, part: Part<Term<&'s str>>, opt: Opt) -> Term<&'s str> {
    match before {
        Term::Path(inner, Path(mut parts)) => {
            parts.push((part, opt));
            Term::Path(inner, Path(parts))
        }
        before => Term::Path(Box::new(before), Path(vec![(part, opt)])),
    }
}

fn is_literal(text: &Term<&str>) -> bool {
    matches!(text, Term::Str(_, parts) if parts.iter().all(|part| !matches!(part, StrPart::Term(_))))
}
