//! What every command gets: the configuration, the terminal, and the way to the tasks.

use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::config::{Config, StoreChoice};
use super::environment::Environment;
use super::failure::Failure;
use super::ui::Ui;
use crate::engine::{Engine, Limits};
use crate::store::Store;
use crate::store::redis::RedisStore;
use crate::store::sqlite::SqliteStore;

/// The dependencies of a command.
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) environment: Environment,
    pub(crate) ui: Ui,
    /// Ends the background work of the process.
    pub(crate) stop: CancellationToken,
    goes_on: Mutex<Option<String>>,
}

impl Context {
    pub(crate) fn new(config: Config, environment: Environment, ui: Ui) -> Self {
        Self { config, environment, ui, stop: CancellationToken::new(), goes_on: Mutex::default() }
    }

    /// The rules over the chosen store.
    pub(crate) async fn engine(&self) -> Result<Engine, Failure> {
        self.engine_within(Limits::default()).await
    }

    /// The rules over the chosen store, with limits of one's own.
    pub(crate) async fn engine_within(&self, limits: Limits) -> Result<Engine, Failure> {
        Ok(Engine::new(open_store(&self.config).await?, limits, self.stop.clone()))
    }

    /// Notes what goes on when this command is interrupted or times out, as a hint for that moment.
    pub(crate) fn goes_on(&self, hint: impl Into<String>) {
        *self.goes_on.lock().unwrap_or_else(PoisonError::into_inner) = Some(hint.into());
    }

    /// The hint of [`Context::goes_on`].
    pub(crate) fn what_goes_on(&self) -> Option<String> {
        self.goes_on.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Opens the store that the configuration names.
pub(crate) async fn open_store(config: &Config) -> Result<Arc<dyn Store>, Failure> {
    Ok(match &config.store {
        StoreChoice::Redis(url) => RedisStore::open(url, &config.namespace).await?,
        StoreChoice::Sqlite(path) => SqliteStore::open(path, &config.namespace).await?,
    })
}
