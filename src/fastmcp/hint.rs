//! Commands that are suggested about a task.

/// The words of a command about the task of that id: `flags` begin with a space, or are empty. Ids of FastMCP 4
/// are random base64, of which one in 64 begins with `-`: it would be taken for an option.
pub(crate) fn command(verb: &str, id: &str, flags: &str) -> String {
    if id.starts_with('-') { format!("{verb}{flags} -- {id}") } else { format!("{verb} {id}{flags}") }
}

#[cfg(test)]
mod tests {
    use super::command;

    #[test]
    fn an_id_like_an_option_stands_behind_two_dashes() {
        assert_eq!(command("respond", "abc", " --decline"), "respond abc --decline");
        assert_eq!(command("respond", "-abc", " --decline"), "respond --decline -- -abc");
        assert_eq!(command("show", "--json", ""), "show -- --json");
    }
}
