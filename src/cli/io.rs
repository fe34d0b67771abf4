//! Where a command reads and prints.

use std::io::{BufRead, IsTerminal as _, Write};

use tracing_subscriber::EnvFilter;

use super::args::{LogFormat, When};
use crate::report::Style;

/// stdin, stdout, stderr, and what is known of the terminal.
pub struct Io {
    stdout: Box<dyn Write + Send>,
    stderr: Box<dyn Write + Send>,
    stdin: Box<dyn BufRead + Send>,
    /// A person can answer.
    pub can_ask: bool,
    /// A person can see progress on stderr.
    pub shows_progress: bool,
    pub color: bool,
    unicode: bool,
    /// Columns, where there is a terminal.
    width: Option<usize>,
    /// Answers come from the demo: they are printed as a person would have typed them.
    echoes: bool,
    /// Logging is one for the process: only the process's own streams start it.
    logs: bool,
    #[cfg(feature = "otlp")]
    traces: Option<super::traces::Traces>,
}

impl Io {
    /// The process's own.
    #[expect(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
    pub fn of_process() -> Self {
        let stdout = std::io::stdout();
        let on_terminal = stdout.is_terminal();
        Self {
            color: on_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
            unicode: is_utf8(),
            width: terminal_size::terminal_size_of(&stdout)
                .filter(|_| on_terminal)
                .map(|(terminal_size::Width(columns), _)| usize::from(columns)),
            can_ask: std::io::stdin().is_terminal(),
            shows_progress: std::io::stderr().is_terminal(),
            stdout: Box::new(stdout),
            stderr: Box::new(std::io::stderr()),
            stdin: Box::new(std::io::BufReader::new(std::io::stdin())),
            echoes: false,
            logs: true,
            #[cfg(feature = "otlp")]
            traces: None,
        }
    }

    /// Other streams, without a terminal: for tests and the demo. `answers` are the lines that a person
    /// would type; where there are none, nobody can be asked.
    pub fn of_streams(
        stdout: impl Write + Send + 'static,
        stderr: impl Write + Send + 'static,
        answers: &'static str,
    ) -> Self {
        Self {
            stdout: Box::new(stdout),
            stderr: Box::new(stderr),
            stdin: Box::new(answers.as_bytes()),
            can_ask: !answers.is_empty(),
            shows_progress: false,
            color: false,
            unicode: true,
            width: None,
            echoes: false,
            logs: false,
            #[cfg(feature = "otlp")]
            traces: None,
        }
    }

    /// Answers as the demo does, in the place of a person.
    pub fn answering(&mut self, answers: &'static str) {
        self.stdin = Box::new(answers.as_bytes());
        self.can_ask = true;
        self.echoes = true;
    }

    pub fn choose_color(&mut self, when: When) {
        match when {
            When::Auto => {}
            When::Always => self.color = true,
            When::Never => self.color = false,
        }
    }

    /// Prints data: what may be piped. A reader that went away (`| head`) is no error.
    pub fn out(&mut self, text: &str) {
        let _gone = self.stdout.write_all(text.as_bytes()).and_then(|()| self.stdout.flush());
    }

    /// Prints messages.
    pub fn err(&mut self, text: &str) {
        let _gone = self.stderr.write_all(text.as_bytes()).and_then(|()| self.stderr.flush());
    }

    /// Asks, and returns the line that was typed; empty at the end of input.
    pub fn ask(&mut self, question: &str) -> String {
        self.err(question);
        let mut line = String::new();
        // A line that cannot be read is not `yes`.
        let _unreadable = self.stdin.read_line(&mut line).is_err();
        if self.echoes {
            self.err(&line);
        }
        line.trim().to_owned()
    }

    pub fn style(&self) -> Style {
        Style::new(self.color, self.unicode, self.width)
    }

    /// Starts logging to stderr, and traces where the environment names a collector; once in a process. `format` is that
    /// of a command which logs what it does.
    pub fn log(&mut self, verbose: u8, format: Option<LogFormat>) {
        let filter = match (verbose, format) {
            (0, None) => None,
            (0, Some(_)) => Some("baseline=warn,baseline::controller=info"),
            (1, None) => Some("baseline::calls=debug"),
            (1, Some(_)) => Some("baseline=warn,baseline::controller=info,baseline::calls=debug"),
            (2, _) => Some("baseline=debug"),
            _ => Some("debug"),
        };
        if !self.logs {
            return;
        }
        let json = match format {
            Some(LogFormat::Json) => true,
            Some(LogFormat::Auto) => !self.shows_progress,
            Some(LogFormat::Text) | None => false,
        };
        #[cfg(feature = "otlp")]
        if self.traces.is_none()
            && let Some(traces) = super::traces::Traces::of_environment()
        {
            return self.trace(traces, filter, json);
        }
        let Some(filter) = filter else { return };
        let log = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(filter))
            .with_writer(std::io::stderr)
            .with_ansi(false);
        let started = if json { log.json().flatten_event(true).try_init() } else { log.try_init() };
        debug_assert!(started.is_ok(), "logging is started once");
    }

    /// The same log, and beside it spans for a collector. Neither sees what is the other's.
    #[cfg(feature = "otlp")]
    fn trace(
        &mut self,
        traces: Result<(super::traces::Traces, opentelemetry_sdk::trace::SdkTracer), String>,
        filter: Option<&str>,
        json: bool,
    ) {
        use tracing_subscriber::filter::{LevelFilter, Targets};
        use tracing_subscriber::prelude::*;

        use crate::traces::TARGET;

        // That a collector does not answer is said even where nothing else is.
        let filter = format!("{},{TARGET}=warn", filter.unwrap_or("off"));
        let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
        let log = if json { log.json().flatten_event(true).boxed() } else { log.boxed() };
        let log = log.with_filter(EnvFilter::new(filter));
        let (layer, why) = match traces {
            Ok((traces, tracer)) => {
                self.traces = Some(traces);
                let layer = tracing_opentelemetry::layer()
                    .with_tracer(tracer)
                    .with_location(false)
                    .with_threads(false)
                    .with_tracked_inactivity(false)
                    .with_filter(Targets::new().with_target(TARGET, LevelFilter::INFO));
                (Some(layer), None)
            }
            Err(why) => (None, Some(why)),
        };
        let started = tracing_subscriber::registry().with(layer).with(log).try_init();
        debug_assert!(started.is_ok(), "logging is started once");
        if let Some(why) = why {
            tracing::warn!(target: TARGET, why, "no traces are sent: the environment names a collector that cannot be used");
        }
    }

    /// Sends what is queued for a collector, and waits for that a few seconds at most.
    pub fn end_traces(&mut self) {
        #[cfg(feature = "otlp")]
        if let Some(traces) = self.traces.take() {
            traces.end();
        }
    }
}

/// Does the locale say UTF-8? (POSIX: LC_ALL over LC_CTYPE over LANG.) Where none is set, terminals do.
#[expect(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
fn is_utf8() -> bool {
    let said = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty());
    said.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
