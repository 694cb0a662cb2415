//! What helps whoever mistyped a command, beside what clap says of it.

use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{given, letters, targets};
use crate::api::{self, CLOUDAPI, Kind, Method, Op, Pick, Shape, Test};
use crate::error::{CommandLine, Error, Hint};
use crate::grammar::older::{self, Part};
use crate::render::{FORMATS, visible};
use crate::tasks::words::{plural, unknown_state};

/// Spells out in what was typed whatever would steer the terminal or begin a line of its own: names come from services.
pub fn spell_out(error: &mut clap::Error) {
    let shown = |text: &String| visible(text).into_owned();
    let told: Vec<(ContextKind, ContextValue)> = error
        .context()
        .filter_map(|(kind, value)| match value {
            ContextValue::String(text) => Some((kind, ContextValue::String(shown(text)))),
            ContextValue::Strings(texts) => Some((kind, ContextValue::Strings(texts.iter().map(shown).collect()))),
            _ => None,
        })
        .collect();
    for (kind, value) in told {
        error.insert(kind, value);
    }
}

/// What to type instead, if that is known. Tips of clap's own that lead astray are taken away.
pub fn of(tree: &Command, args: &[OsString], error: &mut clap::Error) -> Option<Hint> {
    let mut typed: Vec<&str> = args.iter().skip(1).map(|arg| arg.to_str().unwrap_or_default()).collect();
    hide_secrets(&mut typed);
    // What was typed is no help.
    let hint = in_words(tree, &typed, error).filter(|hint| *hint != format!("sdc {}", typed.join(" ")));
    let usage = [ErrorKind::UnknownArgument, ErrorKind::InvalidValue, ErrorKind::MissingRequiredArgument];
    if hint.is_none() && typed.first() == Some(&"wait") && usage.contains(&error.kind()) {
        let command = CommandLine::new("wait machines MACHINE --for state=running");
        return Some(Hint::command(command).then("; or --for ready, deleted, port=22, ssh"));
    }
    hint.map(Hint::from)
}

/// Takes out the values of options that are called as secrets are, here or elsewhere: a hint repeats the line.
fn hide_secrets(typed: &mut [&str]) {
    let is_secret = |name: &str| crate::sensitive::is_secret_name(name) && !name.ends_with("-file");
    let mut is_value = false;
    for word in typed {
        let option = word.strip_prefix("--").unwrap_or_default();
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        if is_value && option.is_empty() || is_secret(name) && !value.is_empty() {
            *word = "…";
        }
        is_value = is_secret(name) && value.is_empty();
    }
}

fn in_words(tree: &Command, typed: &[&str], error: &mut clap::Error) -> Option<String> {
    let wrong = text(error, ContextKind::InvalidArg).first().cloned().unwrap_or_default();
    only_good_tips(tree, typed, error);
    if error.kind() == ErrorKind::UnknownArgument
        && let Some(hint) = old_option(&path(tree, typed).join(" "), &wrong)
    {
        without_tips(error);
        return Some(hint);
    }
    let is_extra = matches!(error.kind(), ErrorKind::UnknownArgument | ErrorKind::ArgumentConflict);
    if let Some(hint) = spread_names(typed).filter(|_| is_extra && path(tree, typed) == ["machines", "create"]) {
        without_tips(error);
        return Some(hint);
    }
    // Of all options that one nearest is suggested, which may still be far away.
    let far = |near: &String| {
        crate::grammar::nearest(wrong.trim_start_matches('-'), &[near.trim_start_matches('-')]).is_none()
    };
    if error.kind() == ErrorKind::UnknownArgument && text(error, ContextKind::SuggestedArg).iter().any(far) {
        error.remove(ContextKind::SuggestedArg);
        error.remove(ContextKind::Usage);
    }
    // `--csv`
    if error.kind() == ErrorKind::UnknownArgument
        && let Some(format) = wrong.strip_prefix("--").filter(|word| FORMATS.iter().any(|(name, _)| name == word))
    {
        without_tips(error);
        return Some(format!("-o {format}"));
    }
    match error.kind() {
        ErrorKind::UnknownArgument if wrong == "--all" => {
            let hint = all(tree, typed)?;
            without_tips(error);
            Some(hint)
        }
        ErrorKind::UnknownArgument if wrong == "-f" => {
            let command = path(tree, typed).join(" ");
            (!command.is_empty()).then(|| format!("there is no -f here: sdc {command} --help"))
        }
        ErrorKind::UnknownArgument if wrong == "--force" => Some(match operation(tree, typed) {
            Some((_, op)) if op.asks_many => {
                "it is not forced in any other way; to skip the question: --yes".to_owned()
            }
            _ => "nothing is asked here, so there is nothing to skip".to_owned(),
        }),
        ErrorKind::InvalidValue
            if text(error, ContextKind::InvalidValue).first().is_some_and(String::is_empty)
                && typed.iter().any(|word| word.is_empty() || word.starts_with("--") && word.ends_with('=')) =>
        {
            Some("its value is empty: is a variable unset?".to_owned())
        }
        ErrorKind::InvalidValue if wrong.starts_with("--from") && path(tree, typed) == ["machines", "create"] => {
            Some("-f is a file of machines here; the firewall: --firewall".to_owned())
        }
        ErrorKind::InvalidValue if wrong.starts_with("--selector") && typed.contains(&"-l") => {
            Some("-l selects by tags here: -l role=web; more columns: --long".to_owned())
        }
        ErrorKind::InvalidValue | ErrorKind::MissingRequiredArgument
            if let Some(hint) = letters::alone(typed, &path(tree, typed).join(" "), option(&wrong)) =>
        {
            Some(hint)
        }
        ErrorKind::UnknownArgument if let Some(hint) = as_word(tree, typed, &wrong) => {
            without_tips(error);
            Some(hint)
        }
        ErrorKind::UnknownArgument if let Some(hint) = switch_with_value(tree, typed, &wrong) => Some(hint),
        ErrorKind::UnknownArgument if let Some(hint) = takes_one(tree, typed, &wrong) => Some(hint),
        ErrorKind::UnknownArgument if let Some(hint) = as_filter(tree, typed, &wrong) => {
            without_tips(error);
            Some(hint)
        }
        ErrorKind::UnknownArgument if let Some(hint) = shortened(tree, typed, &wrong) => {
            without_tips(error);
            Some(hint)
        }
        ErrorKind::ArgumentConflict if let Some(hint) = of_two(tree, typed, &wrong) => Some(hint),
        ErrorKind::UnknownArgument if is_waited_state(tree, typed, &wrong) => Some(format!("--wait={wrong}")),
        ErrorKind::MissingRequiredArgument if let Some(hint) = picking(tree, typed, error) => Some(hint),
        ErrorKind::UnknownArgument if is_behind_wait(typed, &wrong) && is_time(&wrong) => {
            Some(format!("--wait --timeout {wrong}"))
        }
        _ => {
            let hint = old_words(tree, typed, error)
                .or_else(|| before_verb(tree, typed, error))
                .or_else(|| as_verb(tree, typed, error))
                .or_else(|| of_machines(tree, typed, error));
            // What is called so here is told; another command that only sounds alike may do harm.
            if hint.is_some() {
                error.remove(ContextKind::SuggestedSubcommand);
                error.remove(ContextKind::Suggested);
            }
            hint
        }
    }
}

/// Of two words that exclude each other, what was meant.
fn of_two(tree: &Command, typed: &[&str], wrong: &str) -> Option<String> {
    if wrong.starts_with("--output") {
        return Some("one -o says format and columns: -o csv:name,package".to_owned());
    }
    // A word more may have been taken for the image.
    let word = behind_wait(typed)?;
    match is_time(word) {
        true => Some(format!("--wait --timeout {word}")),
        false => is_waited_state(tree, typed, word).then(|| format!("--wait={word}")),
    }
}

/// Takes away what clap says beside the hint that is given.
fn without_tips(error: &mut clap::Error) {
    for kind in [ContextKind::SuggestedArg, ContextKind::Suggested, ContextKind::Usage] {
        error.remove(kind);
    }
}

/// `-n web-1 web-2 web-3`: what a shell has made of `-n web-{1..3}`.
fn spread_names(typed: &[&str]) -> Option<String> {
    let at = typed.iter().position(|word| matches!(*word, "-n" | "--name"))?;
    let (first, others) = typed.get(at + 1..)?.split_first()?;
    let begin = first.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let number = |word: &&str| {
        let digits = word.strip_prefix(begin).filter(|rest| !begin.is_empty() && !rest.is_empty())?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.to_owned())
    };
    let last = others.iter().map_while(number).last()?;
    let names = format!("{begin}{{{}..{last}}}", number(first)?);
    Some(format!("several names are one word, in quotes: -n {}", crate::grammar::shell::quoted(&names)))
}

/// Several targets of a command that takes one.
fn takes_one(tree: &Command, typed: &[&str], wrong: &str) -> Option<String> {
    if wrong.starts_with('-') {
        return None;
    }
    let words: Vec<String> = match operation(tree, typed) {
        Some((_, op)) if op.takes_several() => return None,
        Some((_, op)) => op.path_params().map(|param| format!("one {}", crate::tasks::words::word(param))).collect(),
        None => {
            let mut command = tree;
            for word in path(tree, typed) {
                command = command.find_subcommand(word)?;
            }
            let one = |arg: &clap::Arg| Some(format!("one {}", arg.get_value_names()?.first()?.to_lowercase()));
            command.get_positionals().map(one).collect::<Option<_>>()?
        }
    };
    (typed.contains(&wrong) && !words.is_empty()).then(|| format!("this command takes {}", words.join(" and ")))
}

/// The options that begin so. They are told and not taken: a script with a part of a name would mean another option, or
/// none, as soon as one more begins so.
fn shortened(tree: &Command, typed: &[&str], wrong: &str) -> Option<String> {
    let begin = option(wrong).strip_prefix("--").filter(|begin| !begin.is_empty())?;
    let mut names: Vec<String> = Vec::new();
    let mut add = |command: &Command, global: bool| {
        let seen = command.get_arguments().filter(|arg| !arg.is_hide_set() && (arg.is_global_set() || !global));
        let longs = seen.filter_map(clap::Arg::get_long).filter(|long| long.starts_with(begin));
        names.extend(longs.map(|long| format!("--{long}")));
    };
    let mut command = tree;
    for word in path(tree, typed) {
        add(command, true);
        command = command.find_subcommand(word)?;
    }
    add(command, false);
    names.sort_unstable();
    names.dedup();
    match names.as_slice() {
        [] => None,
        [one] => Some(format!("did you mean {one}?")),
        [first @ .., last] => Some(format!("did you mean {} or {last}?", first.join(", "))),
    }
}

/// An option of the list, which is a word where the same things are acted on.
fn as_filter(tree: &Command, typed: &[&str], wrong: &str) -> Option<String> {
    let (_, op) = operation(tree, typed).filter(|(_, op)| op.takes_several())?;
    let noun = api::noun(op.path_params().last()?).filter(|_| op.path_params().count() == 1)?;
    let name = option(wrong).strip_prefix("--")?;
    let field = noun.list.fields.iter().find(|field| field.long_name() == name && field.test != Test::Nothing)?;
    // Words are something else where pairs are given; tags select there too.
    if given::is_shared(op) {
        let tagged = matches!(field.kind, Kind::Pairs(_)) && noun.picks.contains(&Pick::Tags);
        return tagged.then(|| format!("to select by {name}: -l NAME=VALUE"));
    }
    let value = match field.kind {
        Kind::Pairs(prefix) => format!("{prefix}NAME=VALUE"),
        Kind::Flag(_) => format!("{}=true", field.name),
        _ => format!("{}=VALUE", field.name),
    };
    Some(format!("as a word: {value}"))
}

/// The parts of all resources, where it was not said of which.
fn of_all(tree: &Command, typed: &[&str], error: &clap::Error) -> Option<String> {
    let missing = text(error, ContextKind::InvalidArg);
    let (command, op) = operation(tree, typed).filter(|(_, op)| op.takes_globs() && missing.len() == 1)?;
    let params: Vec<&str> = op.path_params().collect();
    let words = typed.get(path(tree, typed).len()..)?;
    let noun =
        api::noun(params.first()?).filter(|noun| missing[0].trim_matches(['<', '>']) == noun.word.to_uppercase())?;
    // Nothing else is repeated: what stands behind an option may be a secret.
    let pick = ["--older-than TIME", "--state STATE"]
        .into_iter()
        .find(|pick| words.iter().any(|word| pick.split(' ').next().is_some_and(|option| word.starts_with(option))));
    let stars = match (params.as_slice(), pick) {
        ([_], _) if op.is_list() => "'*'".to_owned(),
        ([_, _], Some(pick)) => format!("'*' '*' {pick}"),
        _ => return None,
    };
    Some(format!("of all {}: {command} {stars}", plural(noun.word)))
}

/// How to select targets where none was named.
fn picking(tree: &Command, typed: &[&str], error: &clap::Error) -> Option<String> {
    if let Some(hint) = of_all(tree, typed, error) {
        return Some(hint);
    }
    let missing = text(error, ContextKind::InvalidArg);
    // No selector stands for an option.
    let targets_alone = matches!(missing.as_slice(), [one] if !one.contains("--"));
    let (_, op) = operation(tree, typed).filter(|(_, op)| op.takes_several() && targets_alone)?;
    let noun = api::noun(op.path_params().last()?)?;
    // The newest are left out of what is named, and name nothing.
    if typed.iter().any(|word| *word == "--keep" || word.starts_with("--keep=")) {
        return Some(format!("--keep leaves some out; all {}: '*'", plural(noun.word)));
    }
    let names = targets::picking(noun).into_iter().map(|id| format!("--{}", id.trim_start_matches("pick-")));
    let names: Vec<String> = names.collect();
    let (last, others) = names.split_last()?;
    Some(match others {
        [] => format!("or select with {last}"),
        _ => format!("or select with {} or {last}", others.join(", ")),
    })
}

/// What is wrong with the number of an option: clap tells its range as Rust writes it.
fn number(error: &clap::Error) -> Option<Error> {
    let why = std::error::Error::source(error)?.to_string();
    let name = text(error, ContextKind::InvalidArg).first()?.clone();
    let name = option(&name).trim_matches(['<', '>', '.', '[', ']']).to_owned();
    let value = text(error, ContextKind::InvalidValue).first()?.clone();
    let shown = visible(crate::tasks::words::brief(crate::sensitive::shown(&value).as_ref()).as_ref()).into_owned();
    if let Some((_, range)) = why.split_once(" is not in ") {
        let (low, high) = range.split_once("..")?;
        let below = value.parse::<i128>().ok()? < low.parse::<i128>().ok()?;
        let end = high.trim_start_matches('=');
        return Some(Error::usage(match below {
            true => format!("{name} must be at least {low}"),
            false => format!("{name} must be at most {end}"),
        }));
    }
    if why.starts_with("number too ") {
        return Some(Error::usage(format!("{name}: {shown} is too large")));
    }
    let digits = why == "invalid digit found in string" || why == "cannot parse integer from empty string";
    let whole = if value.parse::<f64>().is_ok() { "whole " } else { "" };
    digits.then(|| Error::usage(format!("{name}: '{shown}' is not a {whole}number")))
}

/// What is wrong where clap's words would mislead: `--wait=STATE` of what takes no state, and numbers.
pub fn instead(tree: &Command, args: &[OsString], error: &clap::Error) -> Option<Error> {
    if error.kind() == ErrorKind::ValueValidation {
        return number(error);
    }
    let of_state = text(error, ContextKind::InvalidArg).first().is_some_and(|arg| arg.starts_with("--state "));
    if let (ErrorKind::InvalidValue, true, Some(state)) =
        (error.kind(), of_state, text(error, ContextKind::InvalidValue).first())
        && !state.is_empty()
    {
        let shown = visible(crate::sensitive::shown(state).as_ref()).into_owned();
        let known = text(error, ContextKind::ValidValue);
        return Some(unknown_state(&shown, &known.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    let of_wait = text(error, ContextKind::InvalidArg).first().is_some_and(|arg| arg.starts_with("--wait"));
    if error.kind() != ErrorKind::TooManyValues || !of_wait {
        return None;
    }
    let typed: Vec<&str> = args.iter().skip(1).map(|arg| arg.to_str().unwrap_or_default()).collect();
    let error_of = Error::usage("--wait takes no state here").hint("--wait alone waits until it is done");
    let state = text(error, ContextKind::InvalidValue).first().cloned().unwrap_or_default();
    let above = path(tree, &typed);
    let noun = operation(tree, &typed).and_then(|(_, op)| op.path_params().last()).and_then(|param| api::noun(param));
    let Some(noun) = noun.filter(|noun| noun.states.contains(&&*state)) else { return Some(error_of) };
    let targets = typed.iter().skip(above.len()).take_while(|word| !word.starts_with('-'));
    let mut targets: Vec<String> =
        targets.filter(|word| typed_again(word).is_some()).map(|word| (*word).to_owned()).collect();
    if targets.is_empty() {
        targets.push(noun.word.to_uppercase());
    }
    let command = CommandLine::new("wait").on(above.first()?).on_all(targets).option("--for", format!("state={state}"));
    Some(error_of.hint(Hint::run("until it is in that state", command)))
}

/// Takes away tips of clap's own that lead astray: words that are not very like what was typed, commands that interrupt
/// or destroy something, and how to type an option that is not one.
fn only_good_tips(tree: &Command, typed: &[&str], error: &mut clap::Error) {
    let astray = |tip: &str| tip.contains("-- ");
    let suggested = match error.get(ContextKind::Suggested) {
        // An empty list is shown as an empty line.
        Some(ContextValue::StyledStrs(all)) => all.is_empty() || all.iter().any(|tip| astray(&tip.to_string())),
        Some(ContextValue::StyledStr(tip)) => astray(&tip.to_string()),
        _ => false,
    };
    if suggested {
        error.remove(ContextKind::Suggested);
    }
    let value = text(error, ContextKind::InvalidValue).first().cloned().unwrap_or_default();
    let likeness = text(error, ContextKind::SuggestedValue);
    if likeness.iter().any(|tip| crate::grammar::nearest(&value, &[&**tip]).is_none()) {
        error.remove(ContextKind::SuggestedValue);
    }
    let similar = text(error, ContextKind::SuggestedSubcommand);
    let Some(wrong) = text(error, ContextKind::InvalidSubcommand).first().cloned().filter(|_| !similar.is_empty())
    else {
        return;
    };
    let above = path(tree, typed);
    let parent = above.iter().try_fold(tree, |command, word| command.find_subcommand(word));
    let mut good: Vec<String> = Vec::new();
    for word in similar {
        let found = parent.and_then(|parent| parent.find_subcommand(&word)).filter(|command| !command.is_hide_set());
        let Some(name) = found.map(|command| command.get_name().to_owned()) else { continue };
        let harmful = api::operation(&format!("{} {name}", above.join(" ")))
            .is_some_and(|op| op.asks || op.asks_many || op.locks_out);
        let near = crate::grammar::nearest(&wrong, &[&*word]).is_some();
        if near && !harmful && !good.contains(&name) {
            good.push(name);
        }
    }
    match good.is_empty() {
        true => drop(error.remove(ContextKind::SuggestedSubcommand)),
        false => drop(error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(good))),
    }
}

/// The texts of something that clap knows of an error.
fn text(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(all)) => all.clone(),
        _ => Vec::new(),
    }
}

/// What a command is called here, or how it is used, where the fault is a word or what is missing: another hint than
/// the fault would only mislead.
fn old_words(tree: &Command, typed: &[&str], error: &clap::Error) -> Option<String> {
    let word = |at: usize| typed.get(at).copied().unwrap_or_default();
    let name = CLOUDAPI.resource(word(0)).map_or(word(0), |noun| noun.name);
    // By its words here as well as by those that were typed.
    let here = path(tree, typed);
    let next = format!("{} {}", here.join(" "), word(here.len()));
    let forms = [name.to_owned(), format!("{name} {}", word(1)), here.join(" "), next];
    let Some(row) = older::part(Part::Words).find(|row| forms.iter().any(|form| form == row.typed)) else {
        // The last word of a command that is known so far.
        let unknown = error.kind() == ErrorKind::InvalidSubcommand;
        return older::here(typed, CLOUDAPI.resource(word(0)).is_none()).filter(|_| unknown);
    };
    let wrong = text(error, ContextKind::InvalidArg);
    let fits = match error.kind() {
        ErrorKind::UnknownArgument => wrong.iter().all(|arg| !arg.starts_with('-')),
        // `--image <IMAGE>`, `<RULE>`
        ErrorKind::MissingRequiredArgument => wrong.iter().any(|arg| {
            let name = arg.split(' ').next().unwrap_or_default();
            row.here.contains(&name.trim_matches(['<', '>', '.']).to_ascii_lowercase())
        }),
        ErrorKind::InvalidSubcommand
        | ErrorKind::MissingSubcommand
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => true,
        _ => false,
    };
    // A row of two words stands for both of them.
    let own = row.typed.split(' ').count();
    fits.then(|| with_rest(tree, row.here, typed.get(own..).unwrap_or_default()))
}

/// A hint whose command goes on with what was typed: with its list, where that begins with a name and not a verb.
fn with_rest(tree: &Command, here: &str, rest: &[&str]) -> String {
    if let Some((begin, end)) = here.split_once(" … ") {
        let first = rest.first().filter(|word| !word.starts_with('-')).and_then(|word| typed_again(word));
        return format!("{begin} {} {end}", first.as_deref().unwrap_or("NAME"));
    }
    let Some(begin) = here.strip_suffix(" …") else { return here.to_owned() };
    let words: Vec<&str> = begin.split(' ').skip(1).collect();
    let group = words.iter().try_fold(tree, |command, word| command.find_subcommand(word));
    let is_verb = |word: &&str| group.is_some_and(|group| group.find_subcommand(word).is_some());
    let verb = |name: &str| group.and_then(|group| group.find_subcommand(name));
    let takes_words = |command: &Command| command.get_positionals().any(|arg| arg.get_id() != "FILTER");
    let verb = match (rest.first(), verb("list"), verb("get")) {
        // A verb of other nouns is no name.
        (Some(word), Some(_), _) if !is_verb(word) && is_verb_of_any(word) => return format!("{begin} --help"),
        (Some(word), ..) if is_verb(word) || word.starts_with('-') => "",
        // A list takes one name and filters: with more names behind it the first was meant as a verb, or one of them is.
        (Some(word), Some(list), _) if takes_words(list) && rest.get(1).is_some_and(|word| is_plain(word)) => {
            return match rest[1..].split_first().filter(|(second, _)| is_verb(second)) {
                Some((second, rest)) => {
                    let again = [word].into_iter().chain(rest).filter_map(|word| typed_again(word));
                    again.fold(format!("{begin} {second}"), |all, word| all + " " + &word)
                }
                None => format!("{begin} --help"),
            };
        }
        // What stands alone in a list is the name of what it is a part of, or of one of its own.
        (Some(_), Some(list), Some(_)) if !takes_words(list) => " get",
        (Some(_), Some(_), _) => " list",
        (None, Some(list), _) if takes_words(list) => " list MACHINE",
        (None, Some(_), _) => " list",
        _ => "",
    };
    let again = rest.iter().filter_map(|word| typed_again(word));
    again.fold(format!("{begin}{verb}"), |all, word| all + " " + &word)
}

/// Whether some command has this verb, or calls one so.
fn is_verb_of_any(word: &str) -> bool {
    let mut all = api::SERVICES.iter().flat_map(|service| service.ops());
    all.any(|op| op.verb.rsplit(' ').next() == Some(word))
        || api::VERB_ALIASES.iter().any(|(_, aliases)| aliases.contains(&word))
}

/// Whether a word is neither an option nor a filter.
fn is_plain(word: &str) -> bool {
    !word.starts_with(['-', '!']) && !word.contains(['=', '<', '>', '~'])
}

/// A switch with a value behind it, which was meant as the option whose letter is the same in another case.
fn switch_with_value(tree: &Command, typed: &[&str], wrong: &str) -> Option<String> {
    let (_, op) = operation(tree, typed).filter(|_| !wrong.starts_with('-'))?;
    let of = |letter: char| op.fields.iter().find(|field| field.short == Some(letter));
    typed.windows(2).filter(|pair| !pair[1].starts_with('-')).find_map(|pair| {
        let letter = pair[0].strip_prefix('-').filter(|rest| rest.len() == 1)?.chars().next()?;
        let other = if letter.is_ascii_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() };
        let switch = of(letter).filter(|field| matches!(field.kind, Kind::Flag(_)))?;
        let meant = of(other).filter(|field| !matches!(field.kind, Kind::Flag(_)))?;
        let (switch, name) = (switch.long_name(), meant.long_name());
        Some(format!("-{letter} is --{switch} here, and takes no value; -{other} is --{name}"))
    })
}

/// An option whose field is a word here: the command with its value in its place.
fn as_word(tree: &Command, typed: &[&str], wrong: &str) -> Option<String> {
    let (path_of, op) = operation(tree, typed)?;
    let fields = || op.fields.iter().filter(|field| field.positional);
    // By its own name, by the letter that another command of the noun has for it, or as what the group is of: `--tag`.
    let group = op.verb.split_once(' ').map_or("", |(group, _)| group);
    let resource = api::resource_of(op)?;
    let letters = resource.ops.iter().flat_map(|op| op.fields).filter(|field| field.short.is_some());
    let named = |option: &str| -> Option<&'static crate::api::Field> {
        let letter = option.strip_prefix('-').filter(|letter| letter.chars().count() == 1);
        let long = |field: &crate::api::Field| field.long_name();
        let names: Vec<String> = match (option.strip_prefix("--"), letter) {
            (Some(long), _) => vec![long.to_owned()],
            (None, Some(letter)) => letters
                .clone()
                .filter(|field| field.short.is_some_and(|short| letter.starts_with(short)))
                .map(long)
                .collect(),
            _ => Vec::new(),
        };
        let mut fields = fields();
        fields.find(|field| {
            let pairs = field.name.is_empty() && field.flag.is_some();
            let of_group = |name: &String| pairs && name.trim_end_matches('s') == group.trim_end_matches('s');
            names.iter().any(|name| !name.is_empty() && (*name == field.long_name() || of_group(name)))
        })
    };
    let first = named(option(wrong).split('=').next()?)?;
    let (mut kept, mut given): (Vec<String>, Vec<(&str, String)>) = (Vec::new(), Vec::new());
    let mut words = typed.iter().skip(path(tree, typed).len());
    while let Some(word) = words.next() {
        let (name, value) = word
            .split_once('=')
            .filter(|_| word.starts_with('-'))
            .map_or((*word, None), |(name, value)| (name, Some(value)));
        match named(name).filter(|_| name.starts_with('-')) {
            Some(field) => {
                given.push((field.name, typed_again(value.or_else(|| words.next().copied()).unwrap_or(""))?))
            }
            None => kept.push(typed_again(word)?),
        }
    }
    for field in fields() {
        kept.extend(given.iter().filter(|(name, _)| *name == field.name).map(|(_, value)| value.clone()));
    }
    let what = match first.name {
        "" => "NAME=VALUE".to_owned(),
        name => name.to_uppercase(),
    };
    Some(format!("{what} is a word here: {path_of} {}", kept.join(" ")))
}

/// What an option of the older tools is called here.
fn old_option(command: &str, option: &str) -> Option<String> {
    let option = option.split('=').next().unwrap_or(option);
    older::part(Part::Options)
        .find(|row| row.typed == option && row.is_of(command).is_some())
        .map(|row| row.here.to_owned())
}

/// A word as it can be typed again; not what may be a secret, nor what is not seen for what it is.
fn typed_again(word: &str) -> Option<String> {
    let fits = crate::sensitive::sort(word).is_none() && visible(word) == word;
    fits.then(|| crate::grammar::shell::quoted(word))
}

/// A verb of machines without their noun.
fn of_machines(tree: &Command, typed: &[&str], error: &clap::Error) -> Option<String> {
    let (verb, rest) = typed.split_first()?;
    let near = [ContextKind::SuggestedSubcommand, ContextKind::Suggested].iter().any(|kind| error.get(*kind).is_some());
    if error.kind() != ErrorKind::InvalidSubcommand || near {
        return None;
    }
    let known = tree.find_subcommand("machines")?.find_subcommand(verb)?.get_name();
    let rest = rest.iter().filter_map(|word| typed_again(word)).fold(String::new(), |rest, word| rest + " " + &word);
    Some(format!("sdc machines {known}{rest}"))
}

/// A name before its verb: `machines web1 stop`.
fn before_verb(tree: &Command, typed: &[&str], error: &clap::Error) -> Option<String> {
    let here = path(tree, typed);
    let [name, verb, rest @ ..] = typed.get(here.len()..)? else { return None };
    if error.kind() != ErrorKind::InvalidSubcommand || here.is_empty() || name.starts_with('-') {
        return None;
    }
    let group = here.iter().try_fold(tree, |command, word| command.find_subcommand(word))?;
    let verb = group.find_subcommand(verb).filter(|verb| !verb.has_subcommands())?.get_name();
    let words = [name].into_iter().chain(rest).map(|word| typed_again(word)).collect::<Option<Vec<_>>>()?;
    Some(format!("sdc {} {verb} {}", here.join(" "), words.join(" ")))
}

/// A name where a verb was expected: most likely it is to be shown.
fn as_verb(tree: &Command, typed: &[&str], error: &clap::Error) -> Option<String> {
    let (name, noun) =
        typed.split_last().filter(|(_, noun)| !noun.is_empty() && path(tree, noun).len() == noun.len())?;
    let near = [ContextKind::SuggestedSubcommand, ContextKind::Suggested].iter().any(|kind| error.get(*kind).is_some());
    if error.kind() != ErrorKind::InvalidSubcommand || near || name.is_empty() {
        return None;
    }
    if crate::grammar::selector::is_glob(name) {
        let (path, op) = operation(tree, &[noun, &["list"]].concat())?;
        let name = typed_again(name).filter(|_| op.shape == Shape::Rows && op.path_params().next().is_none())?;
        return Some(format!("{path} {name}"));
    }
    // What is a part of something is listed by the name of that.
    let of_one = |verb| operation(tree, &[noun, &[verb]].concat()).filter(|(_, op)| op.path_params().count() == 1);
    let (path, _) = of_one("get").or_else(|| of_one("list"))?;
    Some(format!("if it is a name: {path} {}", typed_again(name)?))
}

/// How to name all things of a command that was given `--all`.
fn all(tree: &Command, typed: &[&str]) -> Option<String> {
    let (path, op) = operation(tree, typed)?;
    let list = op.path_params().last().and_then(|param| api::noun(param)).map(|noun| noun.list.shape);
    match op.method {
        Method::Get if op.shape == Shape::Rows => Some(match left_out(op) {
            Some(words) => {
                format!("without filters it is all but what the list leaves out: {path}; to see that: {path} {words}")
            }
            None => format!("without filters it is all of them: {path}"),
        }),
        _ if op.takes_several() && list == Some(Shape::Rows) => Some(format!("all: {path} '*'")),
        _ => None,
    }
}

/// What shows those that a list leaves out for their state: a switch, a value, or the states themselves.
fn left_out(op: &Op) -> Option<String> {
    let service = api::service_of(op);
    let noun = service.nouns.iter().find(|noun| std::ptr::eq(noun.list, op))?;
    let (name, value) = noun.whole()?;
    let field = op.fields.iter().find(|field| field.name == name)?;
    Some(match field.kind {
        Kind::Flag(_) => format!("--{}", field.long_name()),
        Kind::OneOf(values) if values.contains(&value) => format!("--{} {value}", field.long_name()),
        _ => format!("state={}", [noun.failed, noun.gone].concat().join(",")),
    })
}

/// `--image <IMAGE>` without what it takes.
fn option(wrong: &str) -> &str {
    wrong.split(' ').next().unwrap_or_default()
}

fn is_time(word: &str) -> bool {
    crate::config::duration("", word).is_ok()
}

fn is_behind_wait(typed: &[&str], word: &str) -> bool {
    typed.windows(2).any(|pair| matches!(pair[0], "--wait" | "-w") && pair[1] == word)
}

/// The word behind `--wait`, which takes none.
fn behind_wait<'a>(typed: &[&'a str]) -> Option<&'a str> {
    typed.windows(2).find(|pair| matches!(pair[0], "--wait" | "-w") && !pair[1].starts_with('-')).map(|pair| pair[1])
}

/// Whether this word stands behind `--wait`, and is a state that could be waited for.
fn is_waited_state(tree: &Command, typed: &[&str], word: &str) -> bool {
    is_behind_wait(typed, word) && operation(tree, typed).is_some_and(|(_, op)| op.waited_states().contains(&word))
}

/// The command that these words begin with, in its own words.
fn path(tree: &Command, typed: &[&str]) -> Vec<String> {
    let (mut command, mut path) = (tree, Vec::new());
    while let Some(sub) = typed.get(path.len()).and_then(|word| command.find_subcommand(word)) {
        path.push(sub.get_name().to_owned());
        command = sub;
    }
    path
}

/// The operation that these words begin with, and its command.
pub fn operation(tree: &Command, typed: &[&str]) -> Option<(String, &'static Op)> {
    let path = path(tree, typed).join(" ");
    let op = api::operation(&path)?;
    Some((format!("sdc {path}"), op))
}
