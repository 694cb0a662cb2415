//! The words before the one that is completed: the options that say which cloud, whose account and which key are
//! taken out of them, so that names come from the place that the command will ask.

use std::ffi::OsString;

use clap::Command;

use crate::api::Op;
use crate::cli::args::globals;
use crate::cli::commands::shortcuts::{option, takes_value};
use crate::config::{Env, Flags};
use crate::request::Args;

/// Makes the commands that these words may mean, of which the first is the program's name: all of them would take longer
/// than a person waits for a letter.
pub type Tree = fn(&[OsString]) -> Command;

/// The words before the one that is completed.
#[derive(Clone, Debug)]
pub struct Line {
    /// What makes the tree of the commands that the words may mean.
    pub tree: Tree,
    /// The variables that the command will see.
    pub env: Env,
    /// Without the options that choose the cloud and the key.
    pub words: Vec<OsString>,
    /// Those options with their values.
    pub cloud: Vec<OsString>,
    /// Whether `--` was among them, so that nothing after it is an option.
    pub escaped: bool,
}

impl Line {
    /// Takes the words apart, by the commands and options that there are.
    pub fn read(tree: Tree, before: &[OsString], env: Env) -> Line {
        let mut line = Line { tree, env, words: Vec::new(), cloud: Vec::new(), escaped: false };
        let root = tree(before);
        // Some options are those of all commands below.
        let mut commands = vec![&root];
        let mut rest = before.iter().peekable();
        line.words.extend(rest.next().cloned());
        while let Some(word) = rest.next() {
            let text = word.to_string_lossy();
            let option = if line.escaped { None } else { option(&commands, &text) };
            let Some((arg, attached)) = option else {
                line.escaped |= text == "--";
                let below = commands.first().filter(|_| !line.escaped).and_then(|last| last.find_subcommand(&*text));
                commands.splice(0..0, below);
                line.words.push(word.clone());
                continue;
            };
            // clap sets what nobody has said only when it takes the commands up.
            let takes = arg.get_num_args().map_or(usize::from(takes_value(arg)), |range| range.min_values());
            let takes = takes.saturating_sub(usize::from(attached));
            let values: Vec<_> = rest.by_ref().take(takes).collect();
            // The last one's value is the word that is completed.
            let complete = values.len() == takes;
            let place = match arg.get_help_heading() {
                Some(globals::CLOUD) if complete => &mut line.cloud,
                _ => &mut line.words,
            };
            place.push(word.clone());
            place.extend(values.into_iter().cloned());
        }
        line
    }

    /// What these options say. Nothing where they contradict each other.
    pub fn flags(&self) -> Option<Flags> {
        let command = Command::new("sdc").subcommand(globals::add(Command::new("any")));
        let words = ["sdc", "any"].into_iter().map(OsString::from).chain(self.cloud.iter().cloned());
        let matches = command.try_get_matches_from(words).ok()?;
        Some(globals::read(&matches).ok()?.1)
    }

    /// What was typed for the path of a list, in which the completed one is. Nothing while a part of it is missing.
    pub fn place(&self, list: &Op) -> Option<Args> {
        let mut args = Args::new();
        let mut params = list.path_params().peekable();
        params.peek()?;
        let matches = (self.tree)(&self.words).ignore_errors(true).try_get_matches_from(&self.words).ok()?;
        let mut last = &matches;
        while let Some((_, next)) = last.subcommand() {
            last = next;
        }
        for param in params {
            args = args.set(param, last.try_get_one::<String>(param).ok()??.as_str());
        }
        Some(args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::tree::completing;

    fn read(text: &str) -> Line {
        Line::read(completing, &text.split(' ').map(OsString::from).collect::<Vec<_>>(), Env::default())
    }

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').filter(|word| !word.is_empty()).map(OsString::from).collect()
    }

    #[test]
    fn options_that_choose_the_cloud_are_taken_out_wherever_they_stand() {
        for (typed, left, cloud) in [
            ("sdc -p other machines stop", "sdc machines stop", "-p other"),
            ("sdc machines stop -p other", "sdc machines stop", "-p other"),
            ("sdc machines --profile=other stop", "sdc machines stop", "--profile=other"),
            ("sdc machines stop -pother", "sdc machines stop", "-pother"),
            ("sdc machines stop -jp other", "sdc machines stop", "-jp other"),
            ("sdc -a keys -u list machines get", "sdc machines get", "-a keys -u list"),
            ("sdc --keyId x machines get --act-as y", "sdc machines get", "--keyId x --act-as y"),
            ("sdc machines get --insecure -o json", "sdc machines get -o json", "--insecure"),
            // The value is what is completed.
            ("sdc machines get -p", "sdc machines get -p", ""),
            ("sdc machines ssh web -- -p other", "sdc machines ssh web -- -p other", ""),
        ] {
            let line = read(typed);
            assert_eq!((line.words, line.cloud), (words(left), words(cloud)), "{typed}");
        }
    }

    #[test]
    fn what_is_taken_out_is_what_the_command_would_be_told() {
        let flags = read("sdc -p other machines stop --act-as=jill -U http://h -k key").flags().unwrap();
        assert_eq!(flags.profile.as_deref(), Some("other"));
        assert_eq!(flags.act_as.as_deref(), Some("jill"));
        assert_eq!((flags.url.as_deref(), flags.key_id.as_deref()), (Some("http://h"), Some("key")));
    }

    #[test]
    fn the_place_of_a_list_is_what_was_typed_before() {
        let list = &crate::api::cloudapi::nics::LIST;
        let place = read("sdc -p other machines nics get web1").place(list);
        assert_eq!(place.unwrap().text("machine"), Some("web1"));
        assert!(read("sdc machines nics get").place(list).is_none());
    }
}
