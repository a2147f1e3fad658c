//! Why a command failed, with the exit code that says so.

use std::{error::Error, io, net::SocketAddr, path::PathBuf};

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Report,
};
use proxyproof_harness::{HarnessError, document::DocumentError, suite::PlanError};
use proxyproof_mocks::{certificate::CertificateError, front::SettingsError};

use crate::{command::build::BuildFault, exit::Exit};

/// Why a command failed. Messages complete "error: ".
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The harness could not ask, or could not read what it was given.
    #[error(transparent)]
    Harness(#[from] HarnessError),
    /// A benchmark could not be made.
    #[error(transparent)]
    Contest(proxyproof_benches::contest::ContestError),
    /// Two reports say nothing about each other.
    #[error(transparent)]
    Incomparable(#[from] proxyproof_benches::report::Incomparable),
    /// Logs of several runs can't be added.
    #[error(transparent)]
    Unmergeable(#[from] proxyproof_benches::report::Unmergeable),
    /// A report's histogram is none.
    #[error(transparent)]
    NoHistogram(#[from] proxyproof_benches::report::NoHistogram),
    /// The time to begin at is over.
    #[error("it should have begun at {start}, which is over")]
    Late { start: time::OffsetDateTime },
    /// Another build of a candidate's program is none.
    #[error("can't run the build `{}`: {fault}", path.display())]
    Build { path: PathBuf, fault: BuildFault },
    /// There is nothing to ask.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A configuration is not there, or not to be read.
    #[error("can't read the configuration `{}`", path.display())]
    Configuration {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    /// A configuration, or a file that it includes, is none.
    #[error(transparent)]
    Routes(#[from] proxyproof_oracle::routes::ConfigErrors),
    /// A candidate whose configuration is in another language than NGINX's.
    #[error("candidate `{candidate}` has no NGINX configuration")]
    NoConfiguration { candidate: String },
    /// An option names something that the deployment does not have.
    #[error("`{option} {name}=…`: the deployment has no `{name}`")]
    UnknownName {
        option: &'static str,
        name: String,
        known: String,
    },
    /// A candidate has no configuration for what would stand in front of it.
    #[error("`--front {front}`: candidate `{candidate}` is not for that: {why}")]
    Front {
        front: &'static str,
        candidate: String,
        why: &'static str,
    },
    /// Real clients come in through a front.
    #[error(
        "deployment `{deployment}` has nothing in front of the proxy: `up` has no way in for clients"
    )]
    NoFront { deployment: String },
    /// Targets could not be read from standard input.
    #[error("can't read targets from standard input")]
    Targets {
        #[source]
        cause: io::Error,
    },
    /// A name that `explain` does not know.
    #[error("no scenario and no finding is called `{name}`")]
    UnknownSubject {
        name: String,
        nearest: Option<String>,
    },
    /// A report could not be written where it was wanted.
    #[error("can't write `{}`", path.display())]
    Output {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    /// A report could not be written any more, after the run.
    #[error("can't write the report to `{}`", path.display())]
    Report {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    /// A file that would be overwritten is there.
    #[error("`{}` is there already", path.display())]
    Exists { path: PathBuf },
    /// Certificates could not be made.
    #[error("can't make a certificate for `{name}`")]
    Certificate {
        name: String,
        #[source]
        cause: CertificateError,
    },
    /// A file that was named could not be read.
    #[error("can't read `{}`", path.display())]
    Input {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    /// A certificate or key that was named is none.
    #[error("can't use the certificate `{}`", path.display())]
    CertificateFile {
        path: PathBuf,
        #[source]
        cause: CertificateError,
    },
    /// The configuration of a tunnel server is refused.
    // The cause tells its own causes.
    #[error("`{}` is refused: {cause}", path.display())]
    Tunnel {
        path: PathBuf,
        cause: Box<SettingsError>,
    },
    /// A mock could not be started where it was wanted.
    #[error("can't serve on {address}")]
    Listen {
        address: SocketAddr,
        #[source]
        cause: io::Error,
    },
    /// Nothing can be printed.
    #[error("can't print")]
    Print {
        #[source]
        cause: io::Error,
    },
    /// The system refused something.
    #[error("can't {action}")]
    System {
        action: &'static str,
        #[source]
        cause: io::Error,
    },
    /// The namespaces are there, and can't be made what they are for.
    #[error(transparent)]
    Isolation(proxyproof_harness::isolation::SetUpError),
    /// The embedded candidate could not serve.
    #[error("the embedded candidate ended")]
    Reference(#[source] proxyproof_reference::ReferenceError),
}

impl From<proxyproof_benches::contest::ContestError> for CommandError {
    fn from(error: proxyproof_benches::contest::ContestError) -> Self {
        match error {
            proxyproof_benches::contest::ContestError::Harness(error) => Self::Harness(error),
            error => Self::Contest(error),
        }
    }
}

impl CommandError {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Harness(error) => harness_exit(error),
            Self::Plan(_) => Exit::NOTHING_SELECTED,
            Self::Configuration { .. }
            | Self::Build { .. }
            | Self::Routes(_)
            | Self::Incomparable(_)
            | Self::Unmergeable(_)
            | Self::NoConfiguration { .. }
            | Self::UnknownName { .. }
            | Self::Front { .. }
            | Self::NoFront { .. }
            | Self::Targets { .. }
            | Self::UnknownSubject { .. }
            | Self::Output { .. }
            | Self::Exists { .. }
            | Self::Input { .. }
            | Self::CertificateFile { .. }
            | Self::Tunnel { .. }
            | Self::Certificate { .. } => Exit::USAGE,
            Self::Listen { cause, .. } if cause.kind() == io::ErrorKind::InvalidInput => {
                Exit::USAGE
            }
            Self::Contest(_)
            | Self::NoHistogram(_)
            | Self::Late { .. }
            | Self::Listen { .. }
            | Self::Report { .. }
            | Self::Print { .. }
            | Self::System { .. }
            | Self::Isolation(_)
            | Self::Reference(_) => Exit::COULD_NOT_ASK,
        }
    }

    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Print { cause } if cause.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The message with its causes, and the place where it is about a file.
    pub(crate) fn report(&self, colours: bool) -> String {
        match self {
            Self::Harness(HarnessError::Document(error)) => framed(error, colours),
            Self::Harness(error) => error.in_full(),
            Self::Routes(errors) => first_of(&errors.to_string()),
            error => chain(error),
        }
    }

    /// What to do about it.
    pub(crate) fn help(&self) -> Option<String> {
        match self {
            Self::Harness(HarnessError::Document(error)) => error.help.clone(),
            Self::Harness(HarnessError::UnknownCandidate { name, known }) => {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                Some(meant(nearest(name, &known), &format!("candidates: {}, or a folder with a candidate.toml", known.join(", "))))
            }
            Self::Harness(HarnessError::UnknownDeployment { name }) => {
                let known = proxyproof_harness::Deployment::EMBEDDED;
                Some(meant(nearest(name, &known), &format!("deployments: {}, or a TOML file", known.join(", "))))
            }
            Self::Harness(HarnessError::NotInstalled { .. }) => {
                Some("`proxyproof doctor` shows what is installed; `proxyproof run` needs nothing but itself".to_owned())
            }
            Self::Harness(HarnessError::Container { help, .. }) => Some(help.clone()),
            Self::Harness(HarnessError::NoImage { .. }) => {
                Some("name one, `--container IMAGE`, or write `[launch.container]` with `image = \"…\"` into its manifest".to_owned())
            }
            Self::Harness(HarnessError::OtherDeployment { remedy, .. }) => {
                let others: Vec<String> = remedy.iter().map(|name| format!("`{name}` serves any deployment, ")).collect();
                Some(format!("{}`--config FILE` takes a configuration of your own", others.concat()))
            }
            Self::Harness(HarnessError::NoUpstreamTls { .. }) => {
                Some("`nginx-template`, `haproxy` and `caddy` do; a manifest says so with the feature `upstream_tls`".to_owned())
            }
            Self::Late { .. } => Some("give a time that lies ahead; clocks of machines that ask at once have to agree".to_owned()),
            Self::Build { path, fault } => Some(fault.help(path)),
            Self::Plan(PlanError::FilterMatchesNothing { nearest, .. }) => {
                Some(meant(nearest.map(str::to_owned), "`proxyproof list` shows every scenario"))
            }
            Self::Plan(PlanError::NothingSelected) => Some("`proxyproof list` shows every scenario with its level".to_owned()),
            Self::UnknownSubject { nearest, .. } => {
                Some(meant(nearest.clone(), "`proxyproof list` shows every scenario"))
            }
            Self::Configuration { .. } => {
                Some("give an NGINX configuration: nginx.conf, or a file with a server block".to_owned())
            }
            Self::NoConfiguration { .. } => {
                Some("`routes` reads NGINX's language only; give a file, or `nginx`".to_owned())
            }
            Self::Front { .. } => Some(
                "`proxyproof list candidates` shows what each can do (`tls`)".to_owned(),
            ),
            Self::NoFront { .. } => Some(
                "`run` asks it all the same; `front = \"tls\"` and `\"tunnel\"` have one".to_owned(),
            ),
            Self::UnknownName { known, .. } => Some(format!("it has {known}")),
            Self::Exists { .. } => Some("name another folder, or remove the file".to_owned()),
            _ => None,
        }
    }
}

/// A candidate that is there and does not serve is no usage error; a file that makes no sense is.
fn harness_exit(error: &HarnessError) -> Exit {
    match error {
        HarnessError::Document(_)
        | HarnessError::UnknownDeployment { .. }
        | HarnessError::UnknownCandidate { .. }
        | HarnessError::NoImage { .. }
        | HarnessError::NoUpstreamTls { .. }
        | HarnessError::OtherDeployment { .. }
        | HarnessError::Unreadable { .. } => Exit::USAGE,
        _ => Exit::COULD_NOT_ASK,
    }
}

/// The name among `known` that was probably meant.
pub(crate) fn nearest(name: &str, known: &[&str]) -> Option<String> {
    /// Below this, two words have little in common.
    const LIKE: f64 = 0.75;
    let likeness = |other: &&&str| (strsim::jaro_winkler(name, other) * 1000.0) as u32;
    let best = known.iter().max_by_key(likeness)?;
    (strsim::jaro_winkler(name, best) > LIKE).then(|| (*best).to_owned())
}

fn meant(nearest: Option<String>, otherwise: &str) -> String {
    nearest.map_or_else(
        || otherwise.to_owned(),
        |name| format!("did you mean `{name}`?"),
    )
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// The first errors of many; a file in another language is wrong on every line.
fn first_of(errors: &str) -> String {
    /// As many as fit on a screen.
    const SHOWN: usize = 8;
    let shown: Vec<&str> = errors.split("\n\n").take(SHOWN).collect();
    let more = errors.split("\n\n").count() - shown.len();
    let mut text = shown.join("\n\n");
    if more > 0 {
        text.push_str(&format!("\n\nand {more} more"));
    }
    text
}

/// The lines of the file with the places marked.
fn framed(error: &DocumentError, colours: bool) -> String {
    if error.labels.is_empty() {
        return error.to_string();
    }
    let labels = error
        .labels
        .iter()
        .map(|label| LabeledSpan::at(label.span.clone(), label.text.clone()));
    let diagnostic = MietteDiagnostic::new(error.message.clone()).with_labels(labels);
    let text = NamedSource::new(error.file.clone(), error.text.to_string());
    let report = Report::new(diagnostic).with_source_code(text);
    let theme = if colours {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let mut framed = String::new();
    let drawn =
        GraphicalReportHandler::new_themed(theme).render_report(&mut framed, report.as_ref());
    // The first line repeats the message.
    let frame = framed
        .split_once('\n')
        .filter(|_| drawn.is_ok())
        .map_or("", |(_, frame)| frame);
    format!("{error}\n{}", frame.trim_end())
        .trim_end()
        .to_owned()
}
