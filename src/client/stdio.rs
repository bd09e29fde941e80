//! A server that is a child process: one JSON message per line on its stdin and stdout.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use rmcp::RoleClient;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::Transport;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::junk::{self, Junk};
use super::last_words::LastWords;
use super::oddity::too_many_bytes;
use super::program::Program;
use super::unread::{self, Unread};
use super::wire::Wire;

/// The longest line that a server may send, in bytes: what HTTP takes, too.
const MAX_LINE_BYTES: usize = 16 * 1024 * 1024;
/// How long a program that has closed its stdout may take to end, for an error to say how it ended.
const ENDING: Duration = Duration::from_millis(500);

/// How it is started.
#[derive(Clone, Copy)]
pub(super) struct Start<'a> {
    /// The program and its arguments; never empty.
    pub(super) command: &'a [String],
    /// Variables beside those of this process.
    pub(super) environment: &'a [(String, String)],
    /// Where it runs; `None` where this process does.
    pub(super) directory: Option<&'a Path>,
}

/// The running server. Dropping it ends the program as closing it does, in the background.
pub(super) struct ChildServer {
    /// `None` once it is being ended.
    program: Option<Program>,
    stdin: Option<Arc<Mutex<ChildStdin>>>,
    stdout: Option<BufReader<ChildStdout>>,
    line: Vec<u8>,
    junk: Junk,
    unread: Unread,
    /// Fires where too much is unread.
    over: CancellationToken,
    wire: Arc<Wire>,
    words: LastWords,
}

impl ChildServer {
    /// Starts the program.
    pub(super) fn start(start: Start<'_>, wire: Arc<Wire>, words: LastWords) -> io::Result<Self> {
        let mut process = Command::new(&start.command[0]);
        process.args(&start.command[1..]).kill_on_drop(true);
        process.envs(start.environment.iter().map(|(name, value)| (name, value)));
        if let Some(directory) = start.directory {
            process.current_dir(directory);
        }
        process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = Program::start(&mut process)?;
        let leader = program.leader();
        let (stdin, stdout, stderr) = (leader.stdin.take(), leader.stdout.take(), leader.stderr.take());
        let missing = || io::Error::other("the process has no pipes");
        words.clone().listen(stderr.ok_or_else(missing)?);
        let stdin = Some(Arc::new(Mutex::new(stdin.ok_or_else(missing)?)));
        let stdout = Some(BufReader::new(stdout.ok_or_else(missing)?));
        let (program, junk, unread) = (Some(program), Junk::default(), Unread::default());
        let (line, over) = (Vec::new(), CancellationToken::new());
        Ok(Self { program, stdin, stdout, line, junk, unread, over, wire, words })
    }

    /// Fires when the program has ended.
    pub(super) fn gone(&self) -> CancellationToken {
        self.program.as_ref().map_or_else(CancellationToken::new, Program::gone)
    }

    /// Ends the program; `None` where that has begun before.
    fn end(&mut self) -> Option<impl Future<Output = ()> + Send + 'static> {
        self.stdin = None;
        let (program, stdout) = (self.program.take()?, self.stdout.take());
        Some(async move {
            // What it still says is read, since it may not be able to end before it has said it.
            let rest = tokio::spawn(async move {
                if let Some(mut stdout) = stdout {
                    let _ = tokio::io::copy(&mut stdout, &mut tokio::io::sink()).await;
                }
            });
            program.end().await;
            rest.abort();
        })
    }

    /// The next whole line; `None` at the end. Dropping the future loses nothing: what was read so far
    /// stays in `self.line`.
    async fn next_line(&mut self) -> Option<String> {
        loop {
            // A program may write faster than its lines are read: whatever else there is, a signal above all, has its turn.
            tokio::task::consume_budget().await;
            let stdout = self.stdout.as_mut()?;
            let read = stdout.fill_buf().await.ok()?;
            if read.is_empty() {
                return None;
            }
            let end = read.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(read.len(), |end| end + 1);
            self.line.extend_from_slice(&read[..taken]);
            stdout.consume(taken);
            if self.line.len() > MAX_LINE_BYTES {
                self.words.hung_up_on(too_many_bytes("a line", MAX_LINE_BYTES));
                return None;
            }
            if end.is_some() {
                return Some(String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned());
            }
        }
    }
}

impl ChildServer {
    /// Has an error say how the program ended, where it has.
    async fn note_end(&mut self) {
        if let Some(program) = &mut self.program
            && let Some(status) = program.status_within(ENDING).await
        {
            self.words.ended_with(status);
        }
    }
}

impl Transport<RoleClient> for ChildServer {
    type Error = io::Error;

    fn send(
        &mut self,
        item: ClientJsonRpcMessage,
    ) -> impl Future<Output = Result<(), io::Error>> + Send + 'static {
        let stdin = self.stdin.clone();
        let line = serde_json::to_vec(&item).map_err(io::Error::from).and_then(|mut line| {
            line.push(b'\n');
            let unread = self.unread.add(line.len()).ok_or_else(|| {
                self.words.hung_up_on(unread::words());
                self.over.cancel();
                io::Error::from(io::ErrorKind::BrokenPipe)
            })?;
            Ok((line, unread))
        });
        async move {
            let stdin = stdin.ok_or_else(|| io::Error::from(io::ErrorKind::BrokenPipe))?;
            let (line, _unread) = line?;
            let mut stdin = stdin.lock().await;
            stdin.write_all(&line).await?;
            stdin.flush().await
        }
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        loop {
            let over = self.over.clone();
            let line = tokio::select! {
                biased;
                () = over.cancelled() => return None,
                line = self.next_line() => line,
            };
            let Some(line) = line else {
                self.note_end().await;
                return None;
            };
            let problem = match serde_json::from_str(&self.wire.inbound(&line)) {
                Ok(message) => match junk::echoes(&line) {
                    None => {
                        self.junk.message();
                        return Some(message);
                    }
                    echoes => echoes,
                },
                Err(_) if line.trim().is_empty() => None,
                // Some servers print banners there; the protocol goes on with the next line.
                Err(error) => self.junk.line(&line, &error),
            };
            if let Some(problem) = problem {
                self.words.hung_up_on(problem);
                return None;
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        if let Some(end) = self.end() {
            end.await;
        }
        Ok(())
    }
}

impl Drop for ChildServer {
    fn drop(&mut self) {
        // Without a runtime nothing waits: dropping the program kills it.
        if let (Some(end), Ok(runtime)) = (self.end(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(end);
        }
    }
}
