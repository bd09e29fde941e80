//! What the tests of pages have in common: a place with tasks that ask, a server with pages, and links.

use std::time::Duration;

use mcptask::task::{Ask, Task};
use serde_json::{Value, json};

use crate::http::Site;
use crate::stage::{Stage, Tasks};

/// The public URL of the tests' servers; its host leads nowhere, requests go to the address itself.
pub(crate) const PUBLIC: &str = "https://tasks.example.com/mcptask";

/// A store with a server of pages.
pub(crate) struct Pages {
    pub(crate) stage: Stage,
    pub(crate) tasks: Tasks,
    pub(crate) site: Site,
}

impl Pages {
    pub(crate) fn sqlite() -> Self {
        Self::on(Stage::sqlite(), &[])
    }

    pub(crate) fn on(stage: Stage, arguments: &[&str]) -> Self {
        let options = ["--workers", "0", "--public-url", PUBLIC];
        let site = Site::of(stage.serve(&[&options, arguments].concat()));
        let tasks = stage.tasks();
        Self { stage, tasks, site }
    }

    /// With a server that somebody else started there.
    pub(crate) fn sqlite_beside(stage: Stage, url: &str) -> Self {
        let tasks = stage.tasks();
        Self { stage, tasks, site: Site::at(url) }
    }

    /// A task that asks.
    pub(crate) fn asking(&self, ask: &Ask) -> Task {
        self.tasks.asking("deploy", ask, Some(Duration::from_secs(3000)))
    }

    /// The path of a link to the task's question, as this server has it.
    pub(crate) fn link(&self, task: &Task, options: &[&str]) -> String {
        let words = [&["link", task.id().as_str(), "--public-url", PUBLIC], options].concat();
        let url = self.stage.ok(&words);
        url.strip_prefix(PUBLIC).unwrap_or_else(|| panic!("another address: {url}")).to_owned()
    }

    /// A task that asks with one field, and its link.
    pub(crate) fn asked(&self) -> (Task, String) {
        let task = self.asking(&form());
        let link = self.link(&task, &[]);
        (task, link)
    }

    /// The first question of a task, as `show` tells it.
    pub(crate) fn question(&self, task: &Task) -> Value {
        self.stage.json(&["show", task.id().as_str()])[0]["questions"][0].clone()
    }

    /// Its answer.
    pub(crate) fn answer(&self, task: &Task) -> Value {
        self.question(task)["answer"].clone()
    }
}

/// A form with one text that is needed.
pub(crate) fn form() -> Ask {
    let schema = json!({ "type": "object", "required": ["cuisine"], "properties": {
        "cuisine": { "type": "string", "minLength": 2, "maxLength": 20, "title": "Cuisine" } } });
    Ask::form("Which cuisine?", schema)
}
