//! The help of every command, in one checked file.

use crate::place::Place;

/// The commands, as the help lists them.
fn commands(help: &str) -> Vec<String> {
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    listed.filter_map(|line| line.strip_prefix("  ")?.split(' ').next().map(str::to_owned)).collect()
}

#[test]
fn help_is_as_checked_in() {
    let place = Place::new();
    let help = place.ok(&["--help"]);
    let mut all = ["$ mcptask --help\n", &help].concat();
    for command in commands(&help).iter().filter(|command| !command.is_empty()) {
        all += &["\n\n\n$ mcptask ", command, " --help\n", &place.ok(&[command, "--help"])].concat();
    }
    all.push('\n');
    crate::completing::checked("tests/cli/help.txt", &all, "help");
}
