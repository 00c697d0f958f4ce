//! Two snapshots to ordered changes. Nothing here prints or judges.
