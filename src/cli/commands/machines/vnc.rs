//! `sdc machines vnc MACHINE`: a bridge between a VNC viewer on this computer and the display of a
//! machine. It listens on loopback alone, for one viewer, and ends with it: whoever can connect
//! sits before the machine's console.

use std::net::Ipv4Addr;
use std::time::Duration;

use clap::{Arg, ArgMatches, Command};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::answer::Answer;
use crate::api::cloudapi::changefeed::VNC;
use crate::api::cloudapi::machines;
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::commands::{Custom, Settings};
use crate::cli::terminal::signals::Signals;
use crate::client::{Client, Socket};
use crate::config;
use crate::error::{CommandLine, Error, Hint, Kind, Result};
use crate::request::Args;
use crate::tasks::resolve;

/// `sdc machines vnc`.
pub(crate) static COMMAND: Custom = Custom {
    path: "machines vnc",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[("", &[&VNC])],
    examples: "machines vnc win\nmachines vnc win --port 5900",
    previews: false,
    settings: Settings::Needed,
};

/// How much of what the viewer says is passed on at once, in bytes.
const CHUNK: usize = 16 * 1024;

pub fn command() -> Command {
    Command::new("vnc")
        .about("Connect a VNC viewer to the display of a machine")
        .before_long_help(
            "For machines of the brand kvm or bhyve. Prints the address for the viewer, which only this computer \
             can reach, waits for one viewer, and ends when that one or the machine does.",
        )
        .args([
            Arg::new("machine").value_name("MACHINE").required(true).help("Machine: id, short id or name"),
            Arg::new("port")
                .long("port")
                .value_name("N")
                .value_parser(clap::value_parser!(u16))
                .default_value("0")
                .help("Port to listen on; 0 is any free one"),
            Arg::new("timeout")
                .long("timeout")
                .value_name("TIME")
                .default_value("5m")
                .help("How long to wait for the viewer"),
        ])
}

/// Waits for a viewer and serves it to its end.
///
/// # Errors
/// A machine that has no display or does not run, a port that is taken, no viewer in time, or a connection
/// that is lost.
pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let typed = matches.get_one::<String>("machine").map(String::as_str).unwrap_or_default();
    let port = matches.get_one::<u16>("port").copied().unwrap_or_default();
    let patience = config::duration("--timeout", matches.get_one::<String>("timeout").map_or("5m", String::as_str))?;
    if let Some(output) = app.globals.output.as_deref().filter(|output| *output != "json") {
        return Err(Error::usage(format!(
            "an address is all there is to show, so --output {output} has no meaning here"
        ))
        .hint("--json"));
    }
    let client = app.client()?;
    let id = resolve::id(&client, &machines::MACHINE, typed).await?;
    let shown = client.call(&machines::GET, &Args::new().set("machine", &id)).await;
    check(typed, &shown.map_err(|error| error.about(typed))?)?;

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| {
        Error::other(format!("cannot listen on 127.0.0.1:{port}")).because(error).hint("--port 0 takes any free port")
    })?;
    let address =
        listener.local_addr().map_err(|error| Error::other("cannot tell the port that was taken").because(error))?;
    let url = format!("vnc://{address}");
    let text = match app.globals.json() {
        true => {
            serde_json::json!({ "url": url, "host": "127.0.0.1", "port": address.port(), "machine": id }).to_string()
        }
        false => url,
    };
    app.streams.out(format!("{text}\n").as_bytes())?;
    let mut signals = Signals::new(&app.heard)?;
    tokio::select! {
        served = serve(app, &client, &id, listener, patience) => served.map(|()| 0),
        _ = signals.next() => Ok(130),
    }
}

/// Says why there is nothing to be seen, before anybody starts a viewer.
fn check(typed: &str, machine: &Answer) -> Result<()> {
    let text = |field: &str| machine.first().and_then(|row| row.text(field)).unwrap_or_default();
    let (brand, state) = (text("/brand"), text("/state"));
    if !matches!(&*brand, "kvm" | "bhyve") {
        let words =
            format!("machine {typed} has no display: it is of the brand {brand}, and only kvm and bhyve have one");
        return Err(Error::new(Kind::Refused, words)
            .hint(Hint::run("a shell there", CommandLine::new("machines ssh").on(typed))));
    }
    if state != "running" {
        let words = format!("machine {typed} has no display now: it is {state}, not running");
        return Err(Error::new(Kind::Refused, words)
            .hint(Hint::command(CommandLine::new("machines start").on(typed).with("--wait"))));
    }
    Ok(())
}

async fn serve(app: &App, client: &Client, id: &str, listener: TcpListener, patience: Duration) -> Result<()> {
    let viewer = match tokio::time::timeout(patience, listener.accept()).await {
        Ok(Ok((viewer, _))) => viewer,
        Ok(Err(error)) => return Err(Error::other("cannot take the viewer's connection").because(error)),
        Err(_) => {
            return Err(Error::new(Kind::TimedOut, format!("no viewer came within {patience:?}"))
                .hint("to wait longer: --timeout TIME"));
        }
    };
    // Nobody else shall come in.
    drop(listener);
    let mut request = client.request(&VNC, &Args::new().set("machine", id))?;
    // The service has this route in version 8.4.0 alone, whatever else is asked for elsewhere.
    request.headers.push(("Accept-Version".to_owned(), "~8".to_owned()));
    let socket = client.socket(&request, Some("binary")).await?;
    app.say("a viewer is connected");
    bridge(viewer, socket).await
}

async fn bridge(mut viewer: TcpStream, mut socket: Socket) -> Result<()> {
    let _ = viewer.set_nodelay(true);
    let (mut from, mut to) = viewer.split();
    let mut bytes = vec![0; CHUNK];
    loop {
        tokio::select! {
            read = from.read(&mut bytes) => match read {
                // A viewer ends as it likes.
                Ok(0) | Err(_) => {
                    socket.close().await;
                    return Ok(());
                }
                Ok(count) => socket.send(bytes.get(..count).unwrap_or_default().to_vec()).await?,
            },
            received = socket.next() => match received? {
                None => return Ok(()),
                Some(bytes) => {
                    if to.write_all(&bytes).await.is_err() {
                        socket.close().await;
                        return Ok(());
                    }
                }
            },
        }
    }
}
