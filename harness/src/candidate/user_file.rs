//! A user's file in the place of a candidate's configuration.

use std::path::Path;
use std::sync::Arc;

use super::{Candidate, Language, LaunchFile, Maps, OwnConfiguration, PrivateCopy, Role, address};
use crate::deployment::Deployment;
use crate::document::Document;
use crate::error::HarnessError;

/// A user's file, read and not changed.
#[derive(Clone, Debug)]
pub(crate) struct UserFile {
    /// The file as the user named it.
    pub(crate) origin: String,
    pub(crate) text: String,
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
                let candidate = configuration.of(&self.name, Maps::AsWritten, deployment)?;
                Ok(candidate.with_binary(self.launch.binary))
            }
            Some(Language::Haproxy | Language::Caddyfile | Language::Apache) | None => {
                let file = UserFile::read(path)?;
                self.names_the_addresses(&file, deployment)?;
                Ok(self.with_user_file(file, None))
            }
        }
    }

    /// With this file as its only one: what the manifest's own file refers to, a user's does not.
    fn with_user_file(mut self, file: UserFile, private_copy: Option<PrivateCopy>) -> Self {
        let Some(main) = self.launch.files.first() else {
            return self;
        };
        let main = LaunchFile {
            name: main.name.clone(),
            origin: file.origin,
            text: file.text,
            role: Role::Native,
            insertions: Vec::new(),
            private_copy,
        };
        self.launch.files = vec![Arc::new(main)];
        self
    }

    fn names_the_addresses(
        &self,
        file: &UserFile,
        deployment: &Deployment,
    ) -> Result<(), HarnessError> {
        let listeners = deployment.listeners.iter();
        let listeners = listeners
            .filter(|(protocol, _)| self.features.contains(&protocol.spoken()))
            .map(|(protocol, listener)| {
                (format!("--listen {protocol}=ADDRESS"), &listener.address)
            });
        let upstreams = deployment.upstreams.iter();
        let upstreams = upstreams
            .map(|(name, upstream)| (format!("--upstream {name}=ADDRESS"), &upstream.address));
        for (option, address) in listeners.chain(upstreams) {
            if !address::is_in(&file.text, address) {
                return Err(file
                    .document()
                    .lacks(format!("`{address}` is nowhere in it"))
                    .help(format!("`{option}` says what the file has instead"))
                    .into());
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
        })
    }

    /// For errors that point into it.
    pub(crate) fn document(&self) -> Document {
        Document::new(&*self.origin, &*self.text)
    }
}
