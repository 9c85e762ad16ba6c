//! Logs on stderr, for people or for machines.

use std::io::{Result, Write};

use super::ci;

/// How logs are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// Starts logging. `RUST_LOG` overrides `default`, a filter such as `warn,pdp_sync=info`.
pub fn to_stderr(format: LogFormat, default: &str) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    let builder = tracing_subscriber::fmt().with_writer(move || Lines(format)).with_env_filter(filter);
    match format {
        LogFormat::Text => builder.with_ansi(false).init(),
        LogFormat::Json => builder.json().init(),
    }
}

impl LogFormat {
    fn inert(self, event: &str) -> String {
        match self {
            Self::Text => ci::inert(event),
            Self::Json => ci::inert_json(event),
        }
    }
}

/// Each event comes as one write, words of strangers in it.
struct Lines(LogFormat);

impl Write for Lines {
    fn write(&mut self, event: &[u8]) -> Result<usize> {
        std::io::stderr().write_all(self.0.inert(&String::from_utf8_lossy(event)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> Result<()> {
        std::io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_no_command_of_a_ci_system() {
        assert_eq!(LogFormat::Text.inert("WARN a\n::error::x\n"), "WARN a\n\\u{3a}:error::x\n");
        assert_eq!(LogFormat::Json.inert("{\"a\":\"##vso[x]\"}\n"), "{\"a\":\"\\u0023#vso[x]\"}\n");
    }
}
