//! The call of `list`.

use super::super::{PageCursor, TaskFilter};
use super::RedisStore;

impl RedisStore {
    pub(super) fn list_call(
        &self,
        filter: &TaskFilter,
        after: Option<&PageCursor>,
        most: usize,
    ) -> redis::ScriptInvocation<'_> {
        let scope = filter.scope.as_ref().map_or("", |scope| scope.as_str());
        let session = filter.session.as_ref().map_or("", |session| session.as_str());
        let status = filter.status.map_or("", |status| status.as_str());
        // The index that admits the least.
        let index = match (session, status, scope) {
            ("", "", "") => "tasks".to_owned(),
            ("", "", scope) => format!("scope:{scope}"),
            ("", status, _) => format!("status:{status}"),
            (session, ..) => format!("session:{session}"),
        };
        let mut call = self.invocation(&self.scripts.list);
        call.arg(index).arg(u8::from(filter.oldest_first));
        call.arg(after.map_or(String::new(), |after| after.created_ms.to_string()));
        call.arg(after.map_or("", |after| after.task.as_str())).arg(most).arg(u8::from(filter.hidden));
        call.arg(scope).arg(session).arg(status).arg(filter.tool.as_deref().unwrap_or_default());
        call
    }
}
