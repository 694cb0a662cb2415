//! `sdc api METHOD PATH`: any request, signed as every other, its answer as it came.

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::answer::Answer;
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::commands::{Custom, Settings};
use crate::cli::execute;
use crate::cli::preview;
use crate::cli::question;
use crate::cli::resume;
use crate::cli::terminal::prompt;
use crate::client::{Client, Cut, Span, header_lines};
use crate::error::{CommandLine, Error, Hint, Kind, Result};
use crate::render;
use crate::request::Request;
use crate::response::Response;
use crate::sensitive;
use crate::tasks::lockout;
use crate::tasks::values::Files;

/// `sdc api`.
pub(crate) static COMMAND: Custom = Custom {
    path: "api",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[],
    examples: "api GET '/:login/machines?limit=5'\n\
         api POST /:login/keys -d '{\"name\":\"ci\",\"key\":\"...\"}' --dry-run",
    previews: true,
    settings: Settings::Needed,
};

/// The most that a body from a file may have; the service takes 100 000 bytes itself.
const BODY_LIMIT: u64 = 16 * 1024 * 1024;

pub fn command() -> Command {
    Command::new("api")
        .about("Send a signed request and print the answer unchanged")
        .before_long_help(
            ":login in the path stands for the account. A status of 400 or more is printed too, and the exit code \
             says so.",
        )
        .args(arguments("Path and query, encoded: /:login/machines?limit=5"))
        .args([
            Arg::new("yes")
                .long("yes")
                .short('y')
                .action(ArgAction::SetTrue)
                .help("Skip the question before your own rights are taken away"),
            include(),
            Arg::new("paginate")
                .long("paginate")
                .action(ArgAction::SetTrue)
                .conflicts_with_all(["data", "include"])
                .help("Request all pages of a list (limit, offset) as one array"),
        ])
}

/// What a request of the user's own is made of.
pub(crate) fn arguments(path: &'static str) -> [Arg; 4] {
    [
        Arg::new("METHOD").required(true).help("GET, POST, PUT, DELETE, HEAD"),
        Arg::new("PATH").required(true).help(path),
        Arg::new("data")
            .long("data")
            .short('d')
            .value_name("BODY")
            .allow_hyphen_values(true)
            .help("Body: JSON, @FILE, or - for standard input"),
        Arg::new("header")
            .long("header")
            .short('H')
            .value_name("NAME: VALUE")
            .action(ArgAction::Append)
            .help("A header; may be repeated"),
    ]
}

/// The option that shows more than the body of an answer.
pub(crate) fn include() -> Arg {
    Arg::new("include").long("include").short('i').action(ArgAction::SetTrue).help("Print status and headers too")
}

pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let text = |id: &str| matches.get_one::<String>(id).map(String::as_str).unwrap_or_default();
    let account = app.config.target().unwrap_or("my");
    let path = match text("PATH").strip_prefix("/:login") {
        Some(rest) if rest.is_empty() || rest.starts_with(['/', '?']) => {
            format!("/{}{rest}", crate::request::segment("account", account)?)
        }
        _ => text("PATH").to_owned(),
    };
    let mut request = typed(app, matches, &path)?;
    app.program()?;
    let client = if request.signed && !app.globals.dry_run { app.client()? } else { app.client_without_key()? };
    // Some routes would keep the role as a tag.
    let without_roles = crate::api::CLOUDAPI.operations(request.method.as_str(), &request.path).find(|op| !op.roles);
    match without_roles {
        Some(op) => execute::no_roles(app, op, client.roles())?,
        None if request.signed => client.add_roles(&mut request),
        None => {}
    }
    if app.globals.dry_run || app.globals.curl {
        return preview::requests(app, &client, &[request]).await.map(|()| 0);
    }
    if matches.get_flag("paginate") {
        let joined = paginate(&client, &request).await?;
        print(app, joined.as_bytes(), app.program()?.as_ref())?;
        return Ok(0);
    }
    if request.signed && request.method != reqwest::Method::GET && !matches.get_flag("yes") {
        let lost = lockout::lost_by(&app.identity(), &client, &request).await;
        if !lost.is_empty() {
            let first = [vec![question::place(app)], lost].concat();
            prompt::confirm(&app.streams, "send", &format!("{} {}", request.method, request.path), &first)?;
        }
    }
    let look = CommandLine::new("api").on("GET").on(path.split('?').next().unwrap_or_default());
    let sent = send(app, &client, &request, matches, &look).await;
    sent.map_err(|error| {
        match without_account(&path).filter(|_| error.fault().is_some_and(|fault| fault.status >= 400)) {
            Some(whole) => error
                .hint(Hint::run("paths begin with the account", CommandLine::new("api").on(text("METHOD")).on(whole))),
            None => error,
        }
    })
}

/// The request that was typed, for this path.
///
/// # Errors
/// A usage error for what cannot be sent, or for a form of output that means nothing here.
pub(crate) fn typed(app: &App, matches: &ArgMatches, path: &str) -> Result<Request> {
    let method = matches.get_one::<String>("METHOD").map(String::as_str).unwrap_or_default();
    let mut request = Request::raw(method, path)?;
    if let Some(body) = matches.get_one::<String>("data") {
        let body = match body.strip_prefix('@') {
            Some(file) => app.console.read(file, BODY_LIMIT)?,
            None if body == "-" => app.console.read("-", BODY_LIMIT)?,
            None => body.clone().into_bytes(),
        };
        let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok();
        if !is_json && sensitive::is_key(&String::from_utf8_lossy(&body)) {
            return Err(Error::usage("--data holds a private key, which must never be sent anywhere")
                .hint("within JSON, it is sent as it is"));
        }
        sensitive::remember_named("", &serde_json::from_slice(&body).unwrap_or_default());
        request.body = Some(("application/json".to_owned(), body));
    }
    for header in matches.get_many::<String>("header").into_iter().flatten() {
        let (name, value) = header.split_once(':').ok_or_else(|| {
            Error::usage(format!("'{}' is not a header", sensitive::shown(header))).hint("-H 'Name: value'")
        })?;
        request.add_header(name.trim(), value.trim())?;
    }
    if let Some(output) = app.globals.output.as_deref().filter(|output| *output != "json") {
        return Err(Error::usage(format!(
            "the answer is printed as it came, so --output {output} has no meaning here"
        ))
        .hint("--jq EXPR"));
    }
    Ok(request)
}

/// Sends a request of the user's own, and prints the answer as it came. `look` shows what became of one that is in doubt.
///
/// # Errors
/// What the service refused, and what went wrong on the way.
pub(crate) async fn send(
    app: &App,
    client: &Client,
    request: &Request,
    matches: &ArgMatches,
    look: &CommandLine,
) -> Result<i32> {
    let jq = app.program()?;
    let send = async |client: &Client| client.send_reporting_doubt(request).await;
    let reads = matches!(request.method, reqwest::Method::GET | reqwest::Method::HEAD);
    let ((answer, unclear), interrupted) = match reads {
        true => (send(client).await?, None),
        false => resume::sent(app, client, &format!("{} {}", request.method, request.path), look, send).await?,
    };
    let answer = answer.map_err(|error| resume::with_look(app, look, error))?;
    if matches.get_flag("include") {
        let mut head = format!("HTTP/1.1 {}\n", answer.status);
        for line in header_lines(&answer.headers) {
            head.push_str(&render::escaped(&line));
            head.push('\n');
        }
        head.push('\n');
        app.streams.out(head.as_bytes())?;
    }
    print(app, &answer.body, jq.as_ref().filter(|_| answer.is_success())).map_err(|error| {
        match request.repeatable {
            true => error,
            false => unread(error, &answer),
        }
    })?;
    if let Some(error) = interrupted.filter(|_| answer.is_success()) {
        return Err(error);
    }
    match answer.taken() {
        Ok(()) => Ok(0),
        // A redirect of the service's is an answer too where the user asked for the request itself.
        Err(_) if (300..400).contains(&answer.status) && answer.is_own() => Ok(0),
        Err(error) if answer.is_unknown_path() => {
            let words = format!("{}: {} has no such path", error.message(), client.service().name);
            Err(Error::new(Kind::NotFound, words).with_fault(error.fault().cloned().unwrap_or_default()))
        }
        Err(error) if unclear || answer.is_success() && !reads => Err(resume::with_look(app, look, error.in_doubt())),
        Err(error) => Err(error),
    }
}

/// A path that begins with a collection, as it would be with the account before it.
fn without_account(path: &str) -> Option<String> {
    let path = path.strip_prefix('/')?;
    let (first, rest) = path.split_at(path.find(['/', '?']).unwrap_or(path.len()));
    let collection =
        |op: &crate::api::Op| op.path.strip_prefix("/:login/").and_then(|rest| rest.split('/').next()) == Some(first);
    let known = crate::api::CLOUDAPI.resources.iter().flat_map(|resource| resource.ops).any(|op| collection(op));
    known.then(|| format!("/:login/{first}{rest}"))
}

/// What was sent was carried out although its answer cannot be shown.
fn unread(error: Error, answer: &Response) -> Error {
    if error.kind() == Kind::ClosedPipe {
        return error;
    }
    let body = Answer::from_record(&answer.body).unwrap_or_default();
    let text = |field: &str| body.first().and_then(|row| row.text(field).map(|text| text.into_owned()));
    let id = text("/id").or_else(|| text("/name")).or_else(|| answer.header("location").map(str::to_owned));
    let of = id.map_or(String::new(), |id| format!(", of {id}"));
    error.hint(format!("the service had answered {}{of}: look before sending it again", answer.status))
}

/// The body as it came; JSON is laid out in lines for a person.
fn print(app: &App, body: &[u8], jq: Option<&render::Program>) -> Result<()> {
    let text = std::str::from_utf8(body).ok().filter(|text| is_json(text));
    match (jq, text) {
        (Some(jq), Some(text)) => crate::answer::bounded(text).and_then(|()| app.filter(jq, text)),
        (Some(_), None) => Err(Error::other("the answer is not JSON, so --jq has nothing to work on")),
        (None, Some(text)) if app.streams.stdout_tty => {
            let text = render::json::indented(text);
            app.streams.out(format!("{}\n", render::visible_json(text.trim_end())).as_bytes())
        }
        (None, None) if app.streams.stdout_tty => {
            let words = render::safe(&String::from_utf8_lossy(body)).into_owned();
            let words = render::visible_lines(&words);
            if words.is_empty() { Ok(()) } else { app.streams.out(format!("{words}\n").as_bytes()) }
        }
        (None, Some(text)) => app.streams.out(format!("{}\n", text.trim_end_matches('\n')).as_bytes()),
        (None, None) => app.streams.out(body),
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// All pages of a list, joined without decoding. `limit` and `offset` in the query count rows over all pages.
async fn paginate(client: &Client, request: &Request) -> Result<String> {
    if request.method != reqwest::Method::GET {
        return Err(Error::usage("only lists have pages").hint("sdc api GET PATH --paginate"));
    }
    let mut bare = request.clone();
    let parts: Vec<&str> = request.query.split('&').filter(|part| !part.is_empty()).collect();
    let count = |name: &str| -> Result<Option<usize>> {
        let text = parts.iter().find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        let number =
            |text: &str| text.parse().map_err(|_| Error::usage(format!("'{text}' is not a number for {name}")));
        text.map(number).transpose()
    };
    let span = Span { wanted: count("limit")?, start: count("offset")?.unwrap_or(0), most: None };
    let is_cut = |part: &&str| part.starts_with("limit=") || part.starts_with("offset=");
    bare.query = parts.iter().copied().filter(|part| !is_cut(part)).collect::<Vec<_>>().join("&");
    let page = |cut: Cut| {
        let mut page = bare.clone();
        if let Some(limit) = cut.limit {
            page.add_query("limit", &limit.to_string());
        }
        if cut.offset > 0 {
            page.add_query("offset", &cut.offset.to_string());
        }
        Ok(page)
    };
    let mut all = String::from("[");
    client
        .pages_of(span, page, |page| {
            for row in &page.rows {
                if all.len() > 1 {
                    all.push(',');
                }
                all.push_str(row.get());
            }
            Ok(())
        })
        .await?;
    all.push(']');
    Ok(all)
}
