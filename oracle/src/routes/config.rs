use std::fmt;

use crate::conf::{Loader, Tree, TreeError};
use crate::location::{Place, Site, SiteError};

/// A configuration that was read: its files, and what they say about routes.
#[derive(Clone, Debug)]
pub struct Config {
    /// The files.
    pub tree: Tree,
    /// The servers.
    pub site: Site,
}

/// Everything that keeps a configuration from being read; its `Display` shows each error with its line.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ConfigErrors {
    /// Files that are missing or are no configuration.
    Files(Vec<TreeError>),
    /// Directives NGINX would refuse.
    Directives {
        /// The files, to show the lines of.
        tree: Box<Tree>,
        /// The errors.
        errors: Vec<SiteError>,
    },
}

impl Config {
    /// Reads a main file and what it includes.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, at once.
    pub fn read(
        name: &str,
        text: impl Into<Vec<u8>>,
        loader: &mut dyn Loader,
    ) -> Result<Self, ConfigErrors> {
        let tree = Tree::load(name, text, loader).map_err(ConfigErrors::Files)?;
        match Site::read(&tree) {
            Ok(site) => Ok(Self { tree, site }),
            Err(errors) => Err(ConfigErrors::Directives {
                tree: Box::new(tree),
                errors,
            }),
        }
    }

    /// `file:line` of a place.
    pub fn line(&self, place: Place) -> String {
        line(&self.tree, place)
    }
}

fn line(tree: &Tree, place: Place) -> String {
    let line = tree.document(place.file).line(place.span.start);
    format!("{}:{line}", tree.name(place.file))
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut texts = Vec::new();
        match self {
            Self::Files(errors) => {
                for error in errors {
                    match error {
                        TreeError::Syntax {
                            file,
                            document,
                            errors,
                        } => {
                            texts.extend(
                                errors
                                    .errors
                                    .iter()
                                    .map(|error| error.render(file, document).to_string()),
                            );
                            if errors.omitted > 0 {
                                texts.push(format!("{file}: and {} more", errors.omitted));
                            }
                        }
                        include @ TreeError::Include { .. } => texts.push(include.to_string()),
                    }
                }
            }
            Self::Directives { tree, errors } => {
                for error in errors {
                    let document = tree.document(error.place.file);
                    let number = document.line(error.place.span.start);
                    let shown = document.line_text(number);
                    let help = error
                        .problem
                        .help()
                        .map(|help| format!("\n     help: {help}"))
                        .unwrap_or_default();
                    let place = line(tree, error.place);
                    texts.push(format!("{place}: {error}\n{number:>4} | {shown}{help}"));
                }
            }
        }
        f.write_str(&texts.join("\n\n"))
    }
}
