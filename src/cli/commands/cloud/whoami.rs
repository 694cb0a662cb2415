//! `sdc whoami`: in whose name requests are signed, and whether the service takes the key.

use clap::{ArgMatches, Command};
use serde_json::Value;

use super::info;
use crate::answer::Answer;
use crate::api::cloudapi::account;
use crate::api::{Column, Op, Shape, column};
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::commands::{Custom, Settings};
use crate::error::Result;
use crate::render;
use crate::request::Args;
use crate::tasks::overview;

/// `sdc whoami`.
pub(crate) static COMMAND: Custom = Custom {
    path: "whoami",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[("", READS)],
    examples: "whoami\nwhoami --jq .login --raw",
    previews: false,
    settings: Settings::Needed,
};

const READS: &[&Op] = &[&account::GET];
const COLUMNS: &[Column] = &[column("login"), column("user"), column("act_as"), column("url"), column("key").nested()];

pub fn command() -> Command {
    Command::new("whoami").about("Show whose requests these are, and whether the key is accepted").before_long_help(
        "Ends with 0 where the service accepts the key, even if this sub-user may not read the account, and with 4 \
         where it does not. What is in the way: `sdc auth doctor`.",
    )
}

pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let view = app.view(matches, COLUMNS)?;
    let jq = app.globals.jq.as_deref().map(render::Program::new).transpose()?;
    let client = app.client()?;
    match client.call(&account::GET, &Args::new()).await {
        Ok(_) => {}
        Err(error) if overview::is_known_all_the_same(&error) => {}
        Err(error) => return Err(error),
    }
    let mut who = info::who(app)?;
    let key = info::key(app, &client);
    if app.globals.output.is_some() || jq.is_some() {
        who["key"] = key;
        let answer = Answer::from_record(who.to_string().as_bytes())?;
        app.show(&answer, Shape::Record, &view, jq.as_ref())?;
        return Ok(0);
    }
    app.streams.out(format!("{}\n", render::escaped(&line(&who, &key))).as_bytes())?;
    Ok(0)
}

/// `acme/jill at https://…, key aa:bb… from agent`
fn line(who: &Value, key: &Value) -> String {
    let text = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let user = text(who, "user");
    let user = if user.is_empty() { user } else { format!("/{user}") };
    let other = text(who, "act_as");
    let other = if other.is_empty() { other } else { format!(" acting as {other}") };
    let (login, url) = (text(who, "login"), text(who, "url"));
    format!("{login}{user}{other} at {url}, key {} from {}", text(key, "fingerprint"), text(key, "from"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_line_says_who_where_and_with_which_key() {
        let key = json!({ "fingerprint": "aa:bb", "from": "agent" });
        let who = json!({ "login": "acme", "user": null, "act_as": null, "url": "http://h" });
        assert_eq!(line(&who, &key), "acme at http://h, key aa:bb from agent");
        let who = json!({ "login": "acme", "user": "jill", "act_as": "other", "url": "http://h" });
        assert_eq!(line(&who, &key), "acme/jill acting as other at http://h, key aa:bb from agent");
    }
}
