//! A CloudAPI in memory that verifies real signatures and answers as the real server does.
