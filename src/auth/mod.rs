//! Signing requests with an SSH key: key files, ssh-agent, and the HTTP Signature scheme.
