//! A user's file in the place of a candidate's configuration.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{
    CaddyConfiguration, Candidate, Language, LaunchFile, Occurrence, OwnConfiguration, PrivateCopy,
    Role, address, apache, haproxy,
};
use crate::deployment::Deployment;
use crate::document::{Document, DocumentError};
use crate::error::HarnessError;
use crate::protocol::Protocol;

/// A user's file, read and not changed.
#[derive(Clone, Debug)]
pub(crate) struct UserFile {
    /// The file as the user named it.
    pub(crate) origin: String,
    pub(crate) text: String,
    /// The folder that it is in, absolute and without links.
    pub(crate) folder: PathBuf,
}

impl Candidate {
    /// With a user's file in the place of its configuration: what runs is a private copy, made as its language needs it.
    /// For a manifest that names no language only the deployment's addresses are replaced, where they stand by
    /// themselves.
    ///
    /// # Errors
    /// [`HarnessError::Unreadable`], and [`HarnessError::Document`] where an address of the deployment is not in it, or
    /// where something of it cannot be confined: it would listen, connect or write elsewhere than on the stage.
    pub fn with_configuration(
        self,
        path: &Path,
        deployment: &Deployment,
    ) -> Result<Self, HarnessError> {
        match self.launch.language {
            Some(Language::Nginx) => {
                let configuration = OwnConfiguration::read(path)?;
                let candidate = configuration.of(&self.name, deployment)?;
                Ok(candidate.with_binary(self.launch.binary))
            }
            Some(Language::Haproxy) => haproxy::configured(self, UserFile::read(path)?, deployment),
            Some(Language::Caddyfile) => {
                CaddyConfiguration::read(path, &self)?.of(self, deployment)
            }
            Some(Language::Apache) => apache::configured(self, UserFile::read(path)?, deployment),
            None => {
                let file = UserFile::read(path)?;
                self.names_the_addresses(&file, deployment, |address| {
                    address::is_in(&file.text, address)
                })?;
                Ok(self.with_user_file(file, None))
            }
        }
    }

    /// With this file as its only one: what the manifest's own file refers to, a user's does not.
    pub(super) fn with_user_file(
        mut self,
        file: UserFile,
        private_copy: impl Into<Option<PrivateCopy>>,
    ) -> Self {
        let Some(main) = self.launch.files.first() else {
            return self;
        };
        let main = LaunchFile {
            name: main.name.clone(),
            origin: file.origin,
            text: file.text,
            role: Role::Native,
            insertions: Vec::new(),
            deployment: None,
            private_copy: private_copy.into(),
        };
        self.launch.files = vec![Arc::new(main)];
        // The gaps are the gallery's: a user's file need not have them, and is not told to list them otherwise.
        let editions = self.editions.iter_mut();
        let known = editions.flat_map(|edition| &mut edition.known);
        for gap in self.known.iter_mut().chain(known) {
            gap.occurrence = Occurrence::Sometimes;
        }
        self
    }

    /// The published listeners of a deployment that it speaks the protocol of.
    pub(super) fn listeners_of<'d>(
        &'d self,
        deployment: &'d Deployment,
    ) -> impl Iterator<Item = (Protocol, &'d String)> {
        let listeners = deployment.listeners.iter();
        listeners
            .filter(|(protocol, _)| self.features.contains(&protocol.spoken()))
            .map(|(protocol, listener)| (*protocol, &listener.address))
    }

    /// An address of the deployment's that is not in the file would be waited for in vain.
    pub(super) fn names_the_addresses(
        &self,
        file: &UserFile,
        deployment: &Deployment,
        has: impl Fn(&str) -> bool,
    ) -> Result<(), DocumentError> {
        let listeners = self.listeners_of(deployment);
        let listeners = listeners
            .map(|(protocol, address)| (format!("--listen {protocol}=ADDRESS"), address.as_str()));
        let upstreams = deployment.upstreams.iter();
        let upstreams = upstreams.flat_map(|(name, upstream)| {
            let option = format!("--upstream {name}=ADDRESS");
            upstream
                .addresses()
                .map(move |address| (option.clone(), address))
        });
        for (option, address) in listeners.chain(upstreams) {
            if !has(address) {
                return Err(file
                    .document()
                    .lacks(format!("`{address}` is nowhere in it"))
                    .help(format!("`{option}` says what the file has instead")));
            }
        }
        Ok(())
    }
}

impl UserFile {
    pub(crate) fn read(path: &Path) -> Result<Self, HarnessError> {
        let origin = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|cause| HarnessError::Unreadable {
            file: origin.clone(),
            cause,
        })?;
        Ok(Self {
            origin,
            // Comments come in any encoding; what is replaced has no meaning to the proxy.
            text: String::from_utf8_lossy(&bytes).into_owned(),
            folder: folder_of(path),
        })
    }

    /// For errors that point into it.
    pub(crate) fn document(&self) -> Document {
        Document::new(&*self.origin, &*self.text)
    }

    /// Something that no private copy can confine to the stage; without a place where an imported file has it.
    pub(super) fn refused(
        &self,
        span: impl Into<Option<Range<usize>>>,
        why: impl Into<String>,
    ) -> DocumentError {
        refusal(&self.document(), span, why)
    }
}

/// Something that no private copy can confine to the stage, at its place where the document itself has it.
pub(super) fn refusal(
    document: &Document,
    span: impl Into<Option<Range<usize>>>,
    why: impl Into<String>,
) -> DocumentError {
    let error = match span.into() {
        Some(span) => document.error(span, "cannot be confined", why),
        None => document.lacks(why),
    };
    error.help(
        "take it out of a copy of the file, or run it in namespaces: `run` without `--no-isolation`, where the program \
         `unshare` works",
    )
}

/// The folder of a file, absolute where it is there.
fn folder_of(path: &Path) -> PathBuf {
    let folder = path.parent().unwrap_or(Path::new(""));
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
}
