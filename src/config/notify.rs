//! `[[notify]]`: what is told of, and where.
//!
//! ```toml
//! [[notify]]
//! on = ["asked", "failed", "unanswered"]
//! after = "10m"                                 # of unanswered: how long a question has waited
//! tool = "deploy*"                              # or a list; likewise session
//! webhook = "https://hooks.example.com/x"       # or { env = "…" }, { file = "…" }; or exec = ["notify-send", "…"]
//! format = "standard"                           # or slack, teams, ntfy, or a template
//! secret = { env = "HOOK_SECRET" }              # or { file = "…" }
//! ```

use std::collections::BTreeSet;
use std::ops::Range;

use toml::de::DeValue;

use super::mistake::allowed;
use super::table::Table;
use crate::notify::{
    EVENTS, FORMATS, Format, MOST_NOTIFIERS, Notifier, Source, TEMPLATE_NAMES, Target, UNANSWERED, Wanted,
    checked_url, host_of, name_problem,
};
use crate::task::Pattern;
use crate::worker::script::template::FUNCTIONS;

/// How long a question waits where nothing else is said.
const USUAL_AFTER: std::time::Duration = std::time::Duration::from_secs(600);

/// The notifiers of a file.
pub(super) fn notifiers(root: &mut Table<'_>) -> Vec<Notifier> {
    let (mut found, mut names) = (Vec::new(), BTreeSet::new());
    for table in root.tables("notify").into_iter().flatten() {
        if found.len() >= MOST_NOTIFIERS {
            let hint = "let one of them be about several tools".to_owned();
            let problem = format!("there are more than {MOST_NOTIFIERS} notifiers");
            root.source.mistake(&table.span, problem, Some(hint));
            break;
        }
        found.extend(notifier(table, &mut names));
    }
    found
}

fn notifier(mut table: Table<'_>, names: &mut BTreeSet<String>) -> Option<Notifier> {
    let wanted = wanted(&mut table);
    let target = target(&mut table);
    let name = name(&mut table, target.as_ref(), names);
    table.done();
    // What has mistakes is never used.
    Some(Notifier { name: name?, wanted, target: target? })
}

fn wanted(table: &mut Table<'_>) -> Wanted {
    let on = on(table);
    let after = table.positive("after");
    let waits = on.iter().any(|word| word == UNANSWERED);
    if after.is_some() && !waits {
        let problem =
            format!("\"after\" in {} is of {UNANSWERED:?}, which \"on\" does not name", table.what());
        table.mistake(&table.span, problem);
    }
    Wanted {
        after: waits.then(|| after.unwrap_or(USUAL_AFTER)),
        tools: patterns(table, "tool"),
        sessions: patterns(table, "session"),
        on,
    }
}

fn on(table: &mut Table<'_>) -> Vec<String> {
    let Some(found) = table.get("on") else {
        table.missing("on", "on = [\"asked\", \"failed\"] says what is told of");
        return Vec::new();
    };
    let (words, span) = (table.texts("on").unwrap_or_default(), found.node.span());
    for word in words.iter().filter(|word| !EVENTS.contains(&word.as_str())) {
        let problem = format!("there is no event {word:?} to tell of");
        table.source.mistake(&span, problem, Some(allowed(word, &EVENTS)));
    }
    if words.is_empty() && found.node.get_ref().is_array() {
        table.mistake(&span, format!("\"on\" in {} names nothing", table.what()));
    }
    words
}

/// A text, or a list of texts, in which a `*` stands for anything.
fn patterns(table: &mut Table<'_>, key: &'static str) -> Vec<Pattern> {
    let Some(found) = table.get(key) else { return Vec::new() };
    let all = if found.node.get_ref().is_array() {
        table.texts(key)
    } else {
        table.words(key).map(|text| vec![text])
    };
    let all = all.unwrap_or_default();
    if all.is_empty() && found.node.get_ref().is_array() {
        table.mistake(&found.node.span(), format!("{key:?} in {} names nothing", table.what()));
    }
    all.into_iter().map(Pattern::new).collect()
}

fn name(table: &mut Table<'_>, target: Option<&Target>, names: &mut BTreeSet<String>) -> Option<String> {
    let given = table.text("name");
    let (name, span, hint) = if let Some((name, span)) = given {
        (name, span, None)
    } else {
        let hint = "give it a name = \"…\" of its own: by it the store knows what was told".to_owned();
        (usual_name(target?), table.span.clone(), Some(hint))
    };
    let is_taken = || format!("there is another notifier of the name {name:?}");
    let problem = name_problem(&name).or_else(|| (!names.insert(name.clone())).then(is_taken));
    if let Some(problem) = problem {
        table.source.mistake(&span, problem, hint);
    }
    Some(name)
}

/// What it is called where it is not named: it has to be the same on every machine and after every change of the file.
fn usual_name(target: &Target) -> String {
    match target {
        Target::Webhook { url: Source::Text(url), .. } => {
            host_of(url).map_or_else(|| "webhook".to_owned(), |host| format!("webhook {host}"))
        }
        Target::Webhook { .. } => "webhook".to_owned(),
        Target::Exec(words) => {
            let program = words.first().map(String::as_str).unwrap_or_default();
            program.rsplit('/').next().unwrap_or_default().to_owned()
        }
    }
}

fn target(table: &mut Table<'_>) -> Option<Target> {
    match (table.has("webhook"), table.has("exec")) {
        (true, false) => webhook(table),
        (false, true) => exec(table),
        (is_both, _) => {
            let what = table.what();
            let problem = if is_both {
                format!("{what} has a webhook and an exec")
            } else {
                format!("{what} tells nobody")
            };
            let hint = "give it one of webhook = \"https://…\" and exec = [\"program\", …]".to_owned();
            table.source.mistake(&table.span, problem, Some(hint));
            for key in ["webhook", "exec", "format", "secret", "headers"] {
                table.get(key);
            }
            None
        }
    }
}

fn exec(table: &mut Table<'_>) -> Option<Target> {
    let found = table.get("exec")?;
    let words = table.texts("exec")?;
    if words.first().is_none_or(|word| word.trim().is_empty()) {
        table.mistake(&found.node.span(), format!("\"exec\" in {} names no program", table.what()));
    }
    for key in ["format", "secret", "headers"] {
        if let Some(found) = table.get(key) {
            table.mistake(
                &found.node.span(),
                format!("{key:?} in {} is of a webhook, not of a program", table.what()),
            );
        }
    }
    Some(Target::Exec(words))
}

fn webhook(table: &mut Table<'_>) -> Option<Target> {
    let url = source(table, "webhook", May::StandHere);
    if let (Some(Source::Text(text)), Some(found)) = (&url, table.get("webhook")) {
        check_url(table, text, &found.node.span());
    }
    let format = format(table);
    let secret = if table.has("secret") { Some(source(table, "secret", May::StandElsewhere)?) } else { None };
    let headers = headers(table);
    Some(Target::Webhook { url: url?, format: format?, secret, headers })
}

fn check_url(table: &Table<'_>, text: &str, span: &Range<usize>) {
    match checked_url(text) {
        Err(problem) => table.mistake(span, format!("\"webhook\" in {} {problem}", table.what())),
        Ok(url) if url.scheme() == "http" && !is_loopback(&url) => {
            let problem = "what is told goes over the network unencrypted".to_owned();
            table.source.warning(span, problem, "give an https address".to_owned());
        }
        Ok(_) => {}
    }
}

fn is_loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

fn format(table: &mut Table<'_>) -> Option<Format> {
    let Some((text, span)) = table.text("format") else {
        return (!table.has("format")).then_some(Format::Standard);
    };
    match Format::parse(&text) {
        Err(error) => table.mistake(&span, error.to_string()),
        Ok(None) => {
            let problem = format!("\"format\" in {} is {text:?}, which is no template either", table.what());
            table.source.mistake(&span, problem, Some(allowed(&text, &FORMATS)));
        }
        Ok(Some(format)) => {
            let names =
                if let Format::Template(template) = &format { template.names() } else { BTreeSet::new() };
            let is_known = |name: &&String| {
                TEMPLATE_NAMES.contains(&name.as_str()) || FUNCTIONS.contains(&name.as_str())
            };
            for name in names.iter().filter(|name| !is_known(name)) {
                let problem = format!("a template uses {name:?}, which a notice does not have");
                table.source.mistake(&span, problem, Some(allowed(name, &TEMPLATE_NAMES)));
            }
            return Some(format);
        }
    }
    None
}

/// Whether a text may stand in the file itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum May {
    StandHere,
    StandElsewhere,
}

/// A text, or where it stands: `{ env = "NAME" }` or `{ file = "PATH" }`, which counts from the folder of this file.
fn source(table: &mut Table<'_>, key: &'static str, may: May) -> Option<Source> {
    let found = table.get(key)?;
    if let Some(text) = found.node.get_ref().as_str() {
        if may == May::StandHere {
            return Some(Source::Text(text.to_owned()));
        }
        // What was written there is not repeated.
        let problem = format!("{key:?} in {} stands in the file, where others read it", table.what());
        let hint =
            format!("{key} = {{ env = \"NAME\" }} or {{ file = \"PATH\" }}; change the one that stood here");
        table.source.mistake(&found.node.span(), problem, Some(hint));
        return None;
    }
    if !matches!(found.node.get_ref(), DeValue::Table(_)) {
        let problem =
            format!("{key:?} in {} is no {{ env = \"NAME\" }} and no {{ file = \"PATH\" }}", table.what());
        table.mistake(&found.node.span(), problem);
        return None;
    }
    elsewhere(table.table(key)?)
}

fn elsewhere(mut table: Table<'_>) -> Option<Source> {
    let (variable, file) = (table.words("env"), table.words("file"));
    let folder = table.source.folder().to_owned();
    let found = match (variable, file) {
        (Some(name), None) => Some(Source::Variable(name)),
        (None, Some(path)) => Some(Source::File(folder.join(path))),
        _ => {
            let problem = format!("{} has to have one of \"env\" and \"file\"", table.what());
            table.mistake(&table.span, problem);
            None
        }
    };
    table.done();
    found
}

/// Further headers, for a receiver that wants a token of its own.
fn headers(table: &mut Table<'_>) -> Vec<(String, Source)> {
    let Some(headers) = table.table("headers") else { return Vec::new() };
    let mut found = Vec::new();
    for (name, span, node) in headers.entries() {
        let is_name = !name.is_empty()
            && name.bytes().all(|one| one.is_ascii_alphanumeric() || one == b'-' || one == b'_');
        let lower = name.to_ascii_lowercase();
        if !is_name || lower.starts_with("webhook-") || lower == "content-type" {
            headers.mistake(&span, format!("{name:?} in {} is no header that can be given", headers.what()));
            continue;
        }
        let source = match node.get_ref().as_str() {
            Some(text) => Some(Source::Text(text.to_owned())),
            None => {
                Table::of(headers.source, format!("{name:?} in {}", headers.what()), node).and_then(elsewhere)
            }
        };
        found.extend(source.map(|source| (name.to_owned(), source)));
    }
    found
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Config, parse};

    fn read(text: &str) -> Result<Config, String> {
        let read = parse(Path::new("m.toml"), text);
        read.map_err(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn a_notifier_is_read_with_all_that_it_has() {
        let text = r#"
            [[notify]]
            on = ["asked", "unanswered"]
            after = "10m"
            tool = "deploy*"
            webhook = "https://hooks.example.com/x"
            secret = { file = "hook.secret" }
            headers = { Authorization = { env = "TOKEN" } }

            [[notify]]
            name = "desk"
            on = ["failed"]
            exec = ["/usr/bin/notify-send", "mcptask"]
        "#;
        let config = read(text).expect("is right");
        let [hook, desk] = config.notifiers() else { panic!("two") };
        assert_eq!((hook.name.as_str(), desk.name.as_str()), ("webhook hooks.example.com", "desk"));
        assert_eq!(hook.wanted.after, Some(USUAL_AFTER));
        let Target::Webhook { secret, headers, format, .. } = &hook.target else { panic!("a webhook") };
        assert_eq!(secret, &Some(Source::File("hook.secret".into())));
        assert_eq!(headers, &[("Authorization".to_owned(), Source::Variable("TOKEN".into()))]);
        assert_eq!(format, &Format::Standard);
        assert_eq!(config.tools().len(), 0, "a file may only tell");
    }

    #[test]
    fn mistakes_are_named_with_their_places() {
        for (text, problem) in [
            ("on = [\"asked\"]", "tells nobody"),
            ("exec = [\"a\"]", "has no \"on\""),
            ("on = []\nexec = [\"a\"]", "names nothing"),
            ("on = [\"askd\"]\nexec = [\"a\"]", "did you mean \"asked\""),
            ("on = [\"asked\"]\nafter = \"5m\"\nexec = [\"a\"]", "is of \"unanswered\""),
            ("on = [\"asked\"]\nexec = []", "names no program"),
            ("on = [\"asked\"]\nexec = [\"a\"]\nwebhook = \"https://h\"", "a webhook and an exec"),
            ("on = [\"asked\"]\nexec = [\"a\"]\nformat = \"slack\"", "is of a webhook"),
            ("on = [\"asked\"]\nwebhook = \"ftp://h\"", "not an http"),
            ("on = [\"asked\"]\nwebhook = 5", "no { env"),
            ("on = [\"asked\"]\nwebhook = \"https://h\"\nformat = \"slak\"", "did you mean \"slack\""),
            (
                "on = [\"asked\"]\nwebhook = \"https://h\"\nformat = \"{{ massage }}\"",
                "did you mean \"message\"",
            ),
            ("on = [\"asked\"]\nwebhook = \"https://h\"\nformat = \"{{ massage\"", "template"),
            (
                "on = [\"asked\"]\nwebhook = \"https://h\"\nsecret = { env = \"A\", file = \"b\" }",
                "one of \"env\"",
            ),
            ("on = [\"asked\"]\nwebhook = \"https://h\"\nheaders = { webhook-id = \"a\" }", "no header"),
            ("on = [\"asked\"]\nwebhook = \"https://h\"\nheaders = { Webhook-Id = \"a\" }", "no header"),
            ("on = [\"asked\"]\nwebhook = \"https://h\"\ncolour = 1", "unknown key"),
        ] {
            let mistakes = read(&format!("[[notify]]\n{text}")).expect_err(text);
            assert!(mistakes.contains(problem) && mistakes.contains("m.toml:"), "{text}: {mistakes}");
        }
    }

    #[test]
    fn a_secret_in_the_file_is_refused_and_not_repeated() {
        let text = "[[notify]]\non = [\"asked\"]\nwebhook = \"https://h\"\nsecret = \"whsec_s3cret\"";
        let mistakes = read(text).expect_err("stands there");
        assert!(mistakes.contains("env") && !mistakes.contains("s3cret"), "{mistakes}");
    }

    #[test]
    fn two_of_one_name_are_refused() {
        let one = "[[notify]]\non = [\"asked\"]\nwebhook = \"https://h/a\"\n";
        let mistakes = read(&format!("{one}{one}")).expect_err("alike");
        assert!(mistakes.contains("webhook h") && mistakes.contains("name = "), "{mistakes}");
    }

    #[test]
    fn what_goes_unencrypted_is_warned_of() {
        let of =
            |url: &str| read(&format!("[[notify]]\non = [\"asked\"]\nwebhook = \"{url}\"")).expect("right");
        assert_eq!(of("http://hooks.example.com/").warnings().len(), 1);
        assert_eq!(of("http://127.0.0.1:9/").warnings().len() + of("https://a.example/").warnings().len(), 0);
    }
}
