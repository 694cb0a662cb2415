//! One run: its console, its options and its settings, and the clients that they make.

use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use clap::Command;

use super::args::globals::{self, Globals};
use super::console::Console;
use super::terminal::signals::Heard;
use super::terminal::streams::Streams;
use super::terminal::voice::Voice;
use super::terminal::{exit, prompt};
use crate::auth::{Ask, Found, Key, KeyKind, RsaHash};
use crate::client::{Builder, Client, Trace};
use crate::config::{Config, Origin, Route, Setting};
use crate::connect;
use crate::error::{Error, Hint, Kind, Result};
use crate::render;
use crate::sensitive;
use crate::tasks::Report;
use crate::tasks::held_up::Asking;
use crate::tasks::lockout::Identity;
use crate::tasks::permission::Caller;

/// What makes the tree of all commands.
#[derive(Clone, Copy)]
pub struct Trees {
    /// As clap reads it.
    pub plain: fn() -> Command,
    /// With its pages of help.
    pub pages: fn() -> Command,
}

/// One run of the program.
pub struct App {
    /// The world outside.
    pub console: Console,
    /// Where it prints: those of the console.
    pub streams: Streams,
    /// What it says there.
    pub voice: Voice,
    /// All commands, for those that are about commands.
    pub trees: Trees,
    /// How.
    pub globals: Globals,
    /// Which cloud, whose account, which key.
    pub config: Config,
    /// The key id that requests were signed for, and where the key came from.
    sent: OnceLock<(String, String)>,
    /// What writes into the file of `--debug-file`.
    trace: OnceLock<Trace>,
    /// Whether it was said which addresses of services are not used.
    pub(super) told_passed: OnceLock<()>,
    /// The command changes nothing.
    pub(super) reads: AtomicBool,
    /// The internal services that were asked for.
    pub(super) met: Mutex<Vec<&'static str>>,
    /// Who hears signals.
    pub heard: Arc<Heard>,
}

impl Report for App {
    fn say(&self, words: &str) {
        App::say(self, words);
    }

    fn warn(&self, words: &Hint) {
        App::warn(self, &exit::said(words));
    }

    fn urge(&self, words: &Hint) {
        Voice { quiet: false, ..self.voice.clone() }.warn(&exit::said(words));
    }
}

impl App {
    /// This run's, with these settings.
    pub fn new(console: &Console, trees: Trees, globals: Globals, config: Config) -> App {
        let streams = console.streams.clone();
        let colour = globals::colour(&globals, &console.env, streams.stderr_tty);
        let typed = Arc::from(globals.typed.as_slice());
        let voice = Voice { streams: streams.clone(), quiet: globals.quiet, json: globals.json(), colour, typed };
        App {
            console: console.clone(),
            streams,
            voice,
            trees,
            globals,
            config,
            sent: OnceLock::new(),
            trace: OnceLock::new(),
            told_passed: OnceLock::new(),
            reads: AtomicBool::default(),
            met: Mutex::default(),
            heard: Arc::clone(console.streams.heard()),
        }
    }

    /// Words to a person.
    pub fn say(&self, line: &str) {
        self.voice.say(line);
    }

    /// The same with `--quiet` too: who interrupts a run is to see that it was heard.
    pub fn tell(&self, line: &str) {
        Voice { quiet: false, ..self.voice.clone() }.say(line);
    }

    /// A warning.
    pub fn warn(&self, words: &str) {
        self.voice.warn(words);
    }

    /// A failure that does not end the command.
    pub fn report(&self, error: &Error) {
        self.voice.report(error);
    }

    /// Whom a wait asks what its job waits for.
    pub fn asking(&self) -> Asking<'_> {
        Asking::new(self, self.console.timestamp())
    }

    /// In whose name requests are sent.
    pub fn identity(&self) -> Identity {
        let config = &self.config;
        Identity {
            user: config.user.as_ref().map(|user| user.value.clone()),
            acting: config.act_as.as_ref().and(config.account.as_ref()).map(|account| account.value.clone()),
            roles: config.roles.as_ref().map(|roles| roles.value.clone()).unwrap_or_default(),
        }
    }

    /// A client that signs.
    ///
    /// # Errors
    /// No URL, no account, no usable key.
    pub fn client(&self) -> Result<Client> {
        // What is missing of the rest is told before a passphrase is asked for.
        let builder = connect::builder(&self.config)?;
        self.config.account()?;
        let found = self.key()?;
        for note in &found.notes {
            self.say(&format!("note: {note}"));
        }
        if let Key::File(key) = &found.key
            && let Some(exposed) = key.exposed()
        {
            self.warn(exposed);
        }
        self.signing(builder, found)
    }

    /// The key, asking for its passphrase if it has one.
    ///
    /// # Errors
    /// No usable key.
    pub fn key(&self) -> Result<Found> {
        connect::key(&self.config, &mut |ask| self.passphrase(&ask))
    }

    /// A client that signs with this key.
    ///
    /// # Errors
    /// No URL, no account, or a form of signing that the key does not know.
    pub fn client_with(&self, found: Found) -> Result<Client> {
        self.signing(connect::builder(&self.config)?, found)
    }

    fn signing(&self, builder: Builder, found: Found) -> Result<Client> {
        let rsa = match self.globals.rsa_hash.as_deref() {
            Some(name) => name.parse()?,
            None => RsaHash::default(),
        };
        if self.globals.rsa_hash.is_some() && !matches!(found.key.public().kind(), KeyKind::Rsa { .. }) {
            let words = format!("--rsa-hash is for RSA keys, and this one is {}", found.key.public().kind());
            return Err(Error::usage(words).hint("leave --rsa-hash out"));
        }
        let md5 = found.key.public().md5();
        let origin = found.origin.clone();
        let named = if found.wire_name == md5 { String::new() } else { format!(" ({md5})") };
        let streams = self.streams.clone();
        let from = self.config.passphrase_file.clone();
        let signer = connect::signer(&self.config, rsa, found)?
            .asks(move |ask| prompt::passphrase(&streams, from.as_ref(), &ask.file, ask.attempt));
        let _ = self.sent.set((format!("{}{named}", signer.key_id()), origin));
        self.traced(builder)?.signer(signer).build()
    }

    /// A client for what needs no signature.
    ///
    /// # Errors
    /// No URL.
    pub fn client_without_key(&self) -> Result<Client> {
        self.traced(connect::builder(&self.config)?)?.build()
    }

    /// Tells the traces and notices of this run to the client that is made.
    ///
    /// # Errors
    /// The file for the trace cannot be made.
    pub(super) fn traced(&self, builder: Builder) -> Result<Builder> {
        let streams = self.streams.clone();
        let say: Trace = Arc::new(move |line| streams.say(&render::escaped(line)));
        let builder = builder.clock(Arc::clone(&self.console.clock)).trace_bodies(self.globals.debug_bodies);
        let builder = match &self.globals.debug_file {
            Some(file) => builder.trace(self.trace_into(file)?),
            None if self.globals.debug => return Ok(builder.trace(say)),
            None => builder,
        };
        Ok(if self.voice.is_silent() { builder } else { builder.notice(say) })
    }

    /// A trace that goes into a new file, which the first client of the run makes.
    fn trace_into(&self, file: &str) -> Result<Trace> {
        if let Some(trace) = self.trace.get() {
            return Ok(Arc::clone(trace));
        }
        let path = self.console.at_home(file);
        let shown = sensitive::path(&path);
        // Never one that is there, which others may read, or which may be a link to another.
        let made = crate::file::create(&path, true).map(Mutex::new).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => Error::usage(format!("--debug-file writes a new file, and {shown} exists"))
                .hint("remove it, or name another"),
            _ => Error::usage(format!("cannot write {shown}")).because(error),
        })?;
        let (streams, failed) = (self.streams.clone(), AtomicBool::new(false));
        let trace: Trace = Arc::new(move |line| {
            let line = format!("{}\n", render::escaped(line));
            let wrote = made.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes());
            if let Err(error) = wrote
                && !failed.swap(true, Ordering::Relaxed)
            {
                streams.say(&format!("warning: cannot write the trace to {shown}: {error}"));
            }
        });
        Ok(Arc::clone(self.trace.get_or_init(|| trace)))
    }

    fn passphrase(&self, ask: &Ask) -> Result<Option<secrecy::SecretString>> {
        let from = self.config.passphrase_file.as_ref();
        if let Some(exposed) = from.filter(|_| ask.attempt == 1).and_then(prompt::exposed) {
            self.warn(&exposed);
        }
        prompt::passphrase(&self.streams, from, &ask.file, ask.attempt)
    }

    /// Where the key came from that requests were signed with; empty where none was.
    pub fn key_origin(&self) -> &str {
        self.sent.get().map_or("", |(_, origin)| origin)
    }

    /// Adds what only the program knows: which key was sent, and where it came from.
    pub fn explained(&self, error: Error) -> Error {
        let error = self.set_elsewhere(error);
        let Some(fault) = error.fault() else {
            let Ok(Route::Through(proxy)) = connect::route(&self.config) else { return error };
            // What could not connect has said so.
            let open = error.kind() == Kind::Unreachable && !error.message().contains(&proxy.origin.to_string());
            return if open { error.hint(format!("the proxy {proxy} is used ({})", proxy.origin)) } else { error };
        };
        let (status, message) = (fault.status, fault.message.clone());
        if error.kind() != Kind::Auth {
            return error;
        }
        let error = match status {
            401 => {
                let sent = self.sent.get().map(|(id, origin)| format!("{id} from {origin}"));
                let sent = sent.as_deref().unwrap_or("no key");
                let which = connect::key_id(&self.config).map(|id| format!(" (chosen by {})", id.origin));
                error.hint(format!("the key sent was {sent}{}", which.unwrap_or_default()))
            }
            _ => error,
        };
        let caller = self.caller();
        let error = caller.hints(status, &message).into_iter().fold(error, Error::hint);
        if status == 401 { error.hint(Hint::run("to see what is wrong", "auth doctor")) } else { error }
    }

    /// Names the place of the setting that is wrong, where no option and no variable says so itself.
    fn set_elsewhere(&self, error: Error) -> Error {
        fn of<T>(setting: Option<&Setting<T>>) -> Option<&Origin> {
            setting.map(|setting| &setting.origin).filter(|origin| matches!(origin, Origin::Own { .. }))
        }
        let Some((name, value)) = error.blamed() else { return error };
        let config = &self.config;
        let (what, origin) = match name {
            "key-file" => ("key file", of(config.key_file.as_ref())),
            "cacert" => ("certificate file", of(config.cacert.as_ref())),
            "tls-pin" => ("pin", of(config.pins.as_ref())),
            // It stands for an option that was not typed: the value tells whether it was.
            _ => {
                let given = config.defaults.get(name).filter(|setting| {
                    let parts = setting.value.split(',').map(str::trim).chain([&*setting.value]);
                    parts.map(Some).any(|part| part == value)
                });
                (name, given.map(|setting| &setting.origin))
            }
        };
        match origin.map(|origin| format!("the {what} is set by {}", origin.place())) {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    /// Who asks, for what a refusal may mean.
    pub fn caller(&self) -> Caller {
        let config = &self.config;
        Caller {
            account: config.account().unwrap_or_default().to_owned(),
            acting: config.act_as.as_ref().map(|other| (other.value.clone(), other.origin.to_string())),
            user: config.user.as_ref().map(|user| (user.value.clone(), user.origin.to_string())),
            roles: config.roles.as_ref().map(|roles| (roles.value.clone(), roles.origin.to_string())),
        }
    }
}
