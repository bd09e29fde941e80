//! The one table of what a store says when it is there and does not do what it is asked.

use std::time::Duration;

/// Why a store refuses, whatever the verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Redis `OOM`: its memory is used up.
    MemoryFull,
    /// Redis `MISCONF`: it cannot write its snapshot, and takes no writes until it can.
    CannotPersist,
    /// Redis `BUSY`: a script of somebody's runs on and on.
    Busy,
    /// Redis `LOADING`: it reads its file after a start.
    Loading,
    /// Redis `NOREPLICAS`: too few replicas keep up.
    NoReplicas,
    /// Redis `READONLY`, SQLite on a disk or in a file that may only be read: writes go elsewhere, or nowhere.
    ReadOnly,
    /// Redis `NOPERM`: this user may not.
    NotPermitted,
    /// Redis `NOAUTH`, `WRONGPASS`: nobody is signed in, or not with this password.
    NotAuthenticated,
    /// Redis `CLUSTERDOWN`, `MASTERDOWN`, `NOMASTERLINK`: nodes that are needed are away.
    ClusterDown,
    /// A Redis replica that has nothing yet and no link to its primary, or is still copying from it: what is not found
    /// there may be there in a moment.
    NotSynced,
    /// Redis `MOVED`, `ASK`, `TRYAGAIN`, `UNBLOCKED`: the namespace is on its way to another node.
    Moving,
    /// Redis `NOSCRIPT`: it forgot the scripts; they are sent again at once.
    ScriptsLost,
    /// SQLite: this user may not read or write the file, or not its directory.
    FileNotPermitted,
    /// SQLite: the disk is full.
    DiskFull,
    /// SQLite: the file would be longer than this process may make one.
    FileTooLarge,
    /// SQLite: this process, or the machine, has as many files open as it may.
    TooManyFiles,
    /// SQLite: another process keeps the file locked.
    Locked,
    /// SQLite: the disk reports an error.
    DiskError,
    /// SQLite: the file was removed or replaced while it was open.
    FileGone,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::MemoryFull,
        Self::CannotPersist,
        Self::Busy,
        Self::Loading,
        Self::NoReplicas,
        Self::ReadOnly,
        Self::NotPermitted,
        Self::NotAuthenticated,
        Self::ClusterDown,
        Self::NotSynced,
        Self::Moving,
        Self::ScriptsLost,
        Self::FileNotPermitted,
        Self::DiskFull,
        Self::FileTooLarge,
        Self::TooManyFiles,
        Self::Locked,
        Self::DiskError,
        Self::FileGone,
    ];

    /// The refusal that begins an error of Redis with this code.
    pub fn of_redis(code: &str) -> Option<Self> {
        Some(match code {
            "OOM" => Self::MemoryFull,
            "MISCONF" => Self::CannotPersist,
            "BUSY" => Self::Busy,
            "LOADING" => Self::Loading,
            "NOREPLICAS" => Self::NoReplicas,
            "READONLY" => Self::ReadOnly,
            "NOPERM" => Self::NotPermitted,
            "NOAUTH" | "WRONGPASS" => Self::NotAuthenticated,
            "CLUSTERDOWN" | "MASTERDOWN" | "NOMASTERLINK" => Self::ClusterDown,
            "MOVED" | "ASK" | "TRYAGAIN" | "UNBLOCKED" => Self::Moving,
            "NOSCRIPT" => Self::ScriptsLost,
            _ => return None,
        })
    }

    /// Whether long-lived processes wait it out. All but a file that is gone: what was in it does not come back by
    /// waiting. Rights and passwords are waited for too: whoever changed them can change them back, and until then
    /// no outcome is thrown away.
    pub fn is_passing(self) -> bool {
        self != Self::FileGone
    }

    /// The longest pause between two attempts of a long-lived process.
    pub fn longest_pause(self) -> Duration {
        match self {
            Self::ScriptsLost => Duration::from_millis(50),
            Self::Busy
            | Self::Loading
            | Self::Moving
            | Self::ClusterDown
            | Self::NotSynced
            | Self::Locked => Duration::from_secs(1),
            Self::NotPermitted | Self::NotAuthenticated | Self::FileNotPermitted => Duration::from_secs(5),
            _ => Duration::from_secs(2),
        }
    }

    /// Whether it is about who asks rather than about the store.
    pub fn is_about_rights(self) -> bool {
        matches!(self, Self::NotPermitted | Self::NotAuthenticated | Self::FileNotPermitted)
    }

    /// What helps, for the person who runs the store.
    pub fn advice(self) -> &'static str {
        match self {
            Self::MemoryFull => {
                "its memory is used up: raise maxmemory, or make room; what was there stays readable"
            }
            Self::CannotPersist => {
                "it cannot write its snapshot to disk and takes no writes until it can: look at its log and its disk"
            }
            Self::Busy => "a script has been running for long: wait, or end it with SCRIPT KILL",
            Self::Loading => "it is reading its file after a start: wait",
            Self::NoReplicas => {
                "fewer replicas keep up than min-replicas-to-write asks for: bring them back, or lower it"
            }
            Self::ReadOnly => {
                "it may only be read here: give the address of the primary, or a disk that can be written to"
            }
            Self::NotPermitted => {
                "this user has not the rights: docs/REDIS.md lists what readers, operators, servers and workers need"
            }
            Self::NotAuthenticated => "user and password are missing or wrong: give them in the URL",
            Self::ClusterDown => {
                "nodes that are needed are away: wait for the failover, or look at the cluster"
            }
            Self::NotSynced => {
                "it has not copied its primary's data yet: wait, look at the link between them, or give the address of \
                 the primary"
            }
            Self::Moving => "the namespace is moving to another node: wait",
            Self::ScriptsLost => "it forgot the scripts: try again",
            Self::FileNotPermitted => {
                "give this user the right to write to the file and to its directory, run it as the file's owner, or only \
                 read here"
            }
            Self::FileTooLarge => {
                "this process may not make files that long: raise `ulimit -f`, or LimitFSIZE= where systemd starts it"
            }
            Self::TooManyFiles => {
                "too many files are open: raise `ulimit -n`, or LimitNOFILE= where systemd starts it, or end what has them open"
            }
            Self::DiskFull => "the disk is full: make room on it",
            Self::Locked => "another process keeps it locked: look for one that hangs with it open",
            Self::DiskError => "the disk reports an error: look at the system's log",
            Self::FileGone => {
                "the file was removed or replaced while this process had it open: stop what runs on it, put the file back, \
                 and start again"
            }
        }
    }
}
