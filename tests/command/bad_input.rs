//! Commands that do everything wrong: each a clear error, the worker unharmed, nothing left running.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::bench::{Bench, assert_no_process_of, assert_nothing_runs, error, quick, text};
use crate::support::within;

/// Runs the command, whose error must contain `expected`; then the same worker must still do good work.
async fn fails(bench: Bench, expected: &str) -> Bench {
    let good = bench.script("good.sh", "#!/bin/sh\necho fine\n");
    let spec = mcptask::task::ToolSpec::new("good", "Works.", json!({ "type": "object" }));
    let bench = bench.tool(spec, quick(good));
    let running = bench.start().await;
    let task = bench.submit(json!({})).await;
    let ended = bench.ended(&task).await;
    assert!(error(&ended).contains(expected), "{}", error(&ended));
    assert_no_process_of(&task);
    let good = bench.submit_to("good", json!({})).await;
    assert_eq!(text(&bench.ended(&good).await), "fine");
    running.drain().await;
    bench
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_program() {
    let bench = Bench::new().await;
    let path = bench.path("nowhere");
    fails(bench.command(quick(path)), "there is no file").await;
    fails(Bench::new().await.command(quick("no-such-program-anywhere")), "in any folder of PATH").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_cannot_be_executed() {
    let bench = Bench::new().await;
    let path = bench.script("run.sh", "#!/bin/sh\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("changes the mode");
    fails(bench.command(quick(path)), "chmod +x").await;

    let bench = Bench::new().await;
    let folder = bench.folder.path().to_owned();
    fails(bench.command(quick(folder)), "is a folder").await;

    let bench = Bench::new().await;
    let path = bench.script("run.sh", "#!/no/such/interpreter\n");
    fails(bench.command(quick(path)), "the interpreter in its first line is missing").await;

    let bench = Bench::new().await;
    let path = bench.script("run", "\u{1}\u{2}\u{3} no program\n");
    fails(bench.command(quick(path)), "a line such as #!/bin/sh").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_working_directory_that_is_not_there() {
    let mut command = quick("pwd");
    command.directory = Some("/no/such/folder".into());
    fails(Bench::new().await.command(command), "working directory /no/such/folder").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_megabytes_of_stdout() {
    let script = "cd \"$(dirname \"$0\")\"; echo $$ > leader.pid; head -c 100000000 /dev/zero | tr '\\0' x";
    let bench = fails(Bench::new().await.bash(script), "wrote more than 1048576 bytes to stdout").await;
    assert_nothing_runs(bench.folder.path(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_megabytes_of_stderr_are_read_and_left_out() {
    let script = "head -c 100000000 /dev/zero | tr '\\0' '\\n' >&2; yes | head -c 1000000 >&2; exit 1";
    fails(Bench::new().await.bash(script), "exit code 1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn binary_stdout() {
    fails(Bench::new().await.bash("head -c 1000 /bin/sh"), "is not UTF-8").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_linger() {
    let script = "cd \"$(dirname \"$0\")\"
(trap '' TERM; echo $BASHPID > stubborn.pid; while :; do sleep 0.1; done) > /dev/null 2>&1 &
sleep 1000 & echo $! > holds-the-pipes.pid
until [ -s stubborn.pid ]; do sleep 0.01; done; echo result";
    let bench = fails(Bench::new().await.bash(script), "it left processes running").await;
    assert_nothing_runs(bench.folder.path(), 2);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_leaves_the_group() {
    let script = "cd \"$(dirname \"$0\")\"
setsid bash -c 'echo $$ > daemon.pid; exec sleep 1000' > /dev/null 2>&1 < /dev/null &
until [ -s daemon.pid ]; do sleep 0.01; done; echo result";
    let bench = fails(Bench::new().await.bash(script), "it left processes running").await;
    assert_nothing_runs(bench.folder.path(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_ends_a_little_later_is_no_fault() {
    let task = Bench::new().await.bash("(sleep 0.1; echo late) & echo early").once().await;
    assert_eq!(text(&task), "early\nlate");
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_stdin_and_closed_outputs() {
    let bench = Bench::new().await.bash("exec 0<&-; echo still here");
    let running = bench.start().await;
    let task = bench.submit(json!({ "long": "x".repeat(900_000) })).await;
    assert_eq!(text(&bench.ended(&task).await), "still here");
    running.drain().await;
    let task = Bench::new().await.bash("exec 0<&- 1>&- 2>&-; sleep 0.2; exit 4").once().await;
    assert!(error(&task).contains("exit code 4"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exit_while_a_question_is_open() {
    let script =
        "\nline = connect(); line.write(json.dumps({'ask': {'message': 'Well?'}}) + '\\n'); line.flush()
while not os.path.exists(os.path.join(os.path.dirname(__file__), 'asked')): time.sleep(0.01)";
    let bench = Bench::new().await.python(script);
    let running = bench.start().await;
    let task = bench.submit(json!({})).await;
    bench.asked(&task, 1).await;
    fs::write(bench.path("asked"), "").expect("tells the command");
    let ended = within("the end", bench.ended(&task)).await;
    assert!(error(&ended).contains("it ended while its question was open"), "{}", error(&ended));
    assert_eq!(ended.open_questions().count(), 0);
    running.drain().await;
}
