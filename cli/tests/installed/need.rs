//! What a test needs of this machine.

use std::env;

use proxyproof_harness::Candidate;

use crate::container;

/// Something that not every machine has.
#[derive(Clone, Copy)]
pub(crate) enum Need {
    /// The program of this member of the gallery.
    Candidate(&'static str),
    /// `curl` on the search path.
    Curl,
    /// A container engine with this image.
    Image(&'static str),
}

impl Need {
    /// Why it is not there, if it isn't.
    pub(crate) fn missing(self) -> Option<String> {
        match self {
            Self::Candidate(name) => {
                let candidate = Candidate::named(name).expect("it is in the gallery");
                candidate
                    .installation()
                    .err()
                    .map(|error| error.to_string())
            }
            Self::Curl => {
                let path = env::var_os("PATH").unwrap_or_default();
                let is_there = env::split_paths(&path).any(|folder| folder.join("curl").is_file());
                (!is_there).then(|| "there is no `curl` on the PATH".to_owned())
            }
            Self::Image(_) if !cfg!(feature = "containers") => {
                Some("this is a build without the feature `containers`".to_owned())
            }
            Self::Image(name) => {
                let why = || format!("`docker` shows no engine with the image `{name}`");
                container::image(name).is_none().then(why)
            }
        }
    }
}
