//! One service: what its operations and answers have in common. Data only.

use super::{Column, Noun, Op, Resource};

/// A service with an HTTP interface of its own, such as CloudAPI. A [`Client`](crate::Client) is a client of one.
#[derive(Debug)]
pub struct Service {
    /// Its name in messages.
    pub name: &'static str,
    /// The word before its commands, such as `admin`; empty where they stand at the top.
    pub prefix: &'static str,
    /// Its operations, in the order of the help.
    pub resources: &'static [&'static Resource],
    /// What its paths' parameters stand for: one a parameter.
    pub nouns: &'static [&'static Noun],
    /// The command that tells what is wrong with the way to it.
    pub doctor: &'static str,
    /// Whether requests are signed, except those of operations that say otherwise ([`Op::signed`]).
    pub signed: bool,
    /// Whether each request carries an id of its own, `x-request-id`, by which the logs of all services know it.
    pub traced: bool,
    /// Whether its answers hold secrets of the data center, which people are shown only if they ask for them.
    pub secret: bool,
    /// Whether paths begin with the account, `/:login`.
    pub account_in_path: bool,
    /// The range of API versions that is asked for by default; `None` where no `Accept-Version` is sent.
    pub versions: Option<&'static str>,
    /// The first number of the oldest of its versions that can be asked for.
    pub first: u16,
    /// The operation that shows the account itself, whose `id` is that of an owner.
    pub account: Option<&'static Op>,
    /// Its name in the `Server` header, by which its answers are told from those of a proxy in front of it. Empty for a
    /// service of an inner network, which calls itself by its name, or by that of the library below it.
    pub server: &'static str,
    /// The error codes by which it alone says that something is missing; without `Error` at the end.
    pub missing: &'static [&'static str],
    /// The same for what is elsewhere, or not allowed.
    pub denied: &'static [&'static str],
    /// Words of refusals, in small letters, that are over in a moment whatever their status: nothing was done, and the
    /// same request is taken soon.
    pub passing: &'static [&'static str],
    /// Words by which it refuses a job that is queued already.
    pub queued: &'static str,
    /// What to do about refusals that say too little of it themselves.
    pub remedies: &'static [Remedy],
}

/// What to do about a refusal: words, a command that is typed after them, and how the sentence goes on.
#[derive(Debug)]
pub struct Remedy {
    /// The API's code without an ending `Error`, or the end of its message where the code has many meanings.
    pub code: &'static str,
    /// Words.
    pub words: &'static str,
    /// A command without the program's name; empty where words are all.
    pub command: &'static str,
    /// Words after the command.
    pub rest: &'static str,
}

impl Remedy {
    /// What is said about this code.
    pub const fn new(code: &'static str, words: &'static str) -> Remedy {
        Remedy { code, words, command: "", rest: "" }
    }

    /// Ends with a command.
    pub const fn run(mut self, command: &'static str) -> Self {
        self.command = command;
        self
    }

    /// Continues after the command.
    pub const fn then(mut self, rest: &'static str) -> Self {
        self.rest = rest;
        self
    }
}

impl Service {
    /// Whether an answer's `Api-Version` is one of this service: three numbers, the first of which is that of a version
    /// since [`first`](Service::first). Other services send versions of their own in the same header.
    pub fn has_version(&self, version: &str) -> bool {
        let number = |part: &str| part.parse::<u16>().ok().filter(|number| number.to_string() == part);
        let numbers: Vec<Option<u16>> = version.split('.').map(number).collect();
        let [Some(major), Some(_), Some(_)] = numbers.as_slice() else { return false };
        self.versions.is_some() && (self.first..=self.first + 4).contains(major)
    }

    /// Returns the resource of this name, or of one that is another name for it.
    pub fn resource(&self, word: &str) -> Option<&'static Resource> {
        self.resources.iter().copied().find(|resource| resource.name == word || resource.aliases.contains(&word))
    }

    /// The operation of a command, by its words without the program's name: `machines tags list`, `admin vms list`.
    pub fn operation(&self, words: &str) -> Option<&'static Op> {
        let words = match self.prefix {
            "" => words,
            prefix => words.strip_prefix(prefix)?.strip_prefix(' ')?,
        };
        let (noun, verb) = words.split_once(' ').unwrap_or((words, ""));
        let resource = self.resources.iter().find(|resource| resource.name == noun)?;
        resource.ops.iter().copied().find(|op| op.verb == verb)
    }

    /// The resource that an operation belongs to; none for an operation of another service.
    pub fn resource_of(&self, op: &Op) -> Option<&'static Resource> {
        self.resources.iter().copied().find(|resource| resource.ops.iter().any(|known| std::ptr::eq(*known, op)))
    }

    /// Whether it is one of the internal services, which nobody signs for.
    pub fn is_inner(&self) -> bool {
        !self.prefix.is_empty()
    }

    /// The words of a resource's commands: its name, behind the service's prefix.
    pub fn path(&self, resource: &Resource) -> String {
        format!("{} {}", self.prefix, resource.name).trim_start().to_owned()
    }

    /// The columns that an operation's answer is shown in: its own, or those of its resource.
    pub fn columns(&self, op: &Op) -> &'static [Column] {
        match op.columns {
            [] => self.resource_of(op).map_or(&[], |resource| resource.columns),
            own => own,
        }
    }

    /// What a path's parameter stands for.
    pub fn noun(&self, param: &str) -> Option<&'static Noun> {
        self.nouns.iter().copied().find(|noun| noun.name == param)
    }

    /// The noun whose resources this operation lists.
    pub fn listed_by(&self, op: &Op) -> Option<&'static Noun> {
        self.nouns.iter().copied().find(|noun| std::ptr::eq(noun.list, op))
    }

    /// The command of an operation, without the program's name and with a placeholder for each parameter of its path:
    /// `machines snapshots list MACHINE`. Empty for an operation of another service.
    pub fn command(&self, op: &Op) -> String {
        let Some(resource) = self.resource_of(op) else { return String::new() };
        let verb = op.verb.split_whitespace().map(str::to_owned);
        let params = op.path_params().map(super::placeholder);
        [self.path(resource)].into_iter().chain(verb).chain(params).collect::<Vec<_>>().join(" ")
    }

    /// All operations.
    pub fn ops(&self) -> impl Iterator<Item = &'static Op> {
        self.resources.iter().flat_map(|resource| resource.ops.iter().copied())
    }

    /// The operations that a request may be one of, by its method and its path without the query.
    pub fn operations(&self, method: &str, path: &str) -> impl Iterator<Item = &'static Op> {
        let parts: Vec<String> = path.split('/').map(str::to_owned).collect();
        let method = method.to_owned();
        self.ops().filter(move |op| {
            let known: Vec<&str> = op.path.split('/').collect();
            let same = |(known, part): (&&str, &String)| known.starts_with(':') && !part.is_empty() || *known == part;
            op.method.as_str() == method && known.len() == parts.len() && known.iter().zip(&parts).all(same)
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::api::CLOUDAPI;
    use crate::api::cloudapi::{machines, ping, snapshots};
    use crate::api::{Op, Paging};

    #[test]
    fn an_operation_has_the_command_of_its_resource_and_verb() {
        let snapshots = &snapshots::LIST;
        assert_eq!(CLOUDAPI.command(&machines::LIST), "machines list");
        assert_eq!(CLOUDAPI.command(snapshots), "machines snapshots list MACHINE");
        assert_eq!(CLOUDAPI.command(&ping::PING_OP), "ping");
        let other = Op { paging: Paging::None, ..machines::LIST };
        assert_eq!(CLOUDAPI.command(&other), "");
    }

    #[test]
    fn an_operation_is_found_by_the_words_of_its_command() {
        assert_eq!(CLOUDAPI.operation("machines tags list").unwrap().id, "ListMachineTags");
        assert_eq!(CLOUDAPI.operation("ping").unwrap().id, "Ping");
        assert!(CLOUDAPI.operation("machines").is_none() && CLOUDAPI.operation("nothing at all").is_none());
    }

    #[test]
    fn an_answer_has_its_operations_columns_or_those_of_its_resource() {
        let own = CLOUDAPI.ops().find(|op| !op.columns.is_empty()).unwrap();
        assert!(std::ptr::eq(CLOUDAPI.columns(own), own.columns));
        assert!(std::ptr::eq(CLOUDAPI.columns(&machines::LIST), machines::MACHINES.columns));
    }

    #[test]
    fn the_resources_of_every_noun_are_listed_by_a_command() {
        for noun in CLOUDAPI.nouns {
            let command = CLOUDAPI.command(noun.list);
            assert!(command.split(' ').any(|word| word == "list"), "{}: {command}", noun.name);
        }
    }
}
