//! Writes a manifest and a deployment to start from.

use std::{fs, path::PathBuf};

use proxyproof_harness::{
    Deployment,
    candidate::{OwnConfiguration, Said},
};

use crate::{args::InitArguments, error::CommandError, exit::Exit, printer::Printer};

const DEPLOYMENT: &str = "deployment.toml";

pub(crate) fn init(arguments: &InitArguments, printer: &Printer) -> Result<Exit, CommandError> {
    let own = OwnConfiguration::read(&arguments.config)?;
    let mut deployment = own.derive(&Said {
        host: arguments.host.clone(),
        ..Said::default()
    })?;
    let name = arguments.out.file_name().map(|name| name.to_string_lossy());
    let name: String = name
        .unwrap_or_default()
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(*letter))
        .collect();
    let name = if name.is_empty() { "my-proxy" } else { &name };
    name.clone_into(&mut deployment.name);
    let draft = deployment.to_toml();
    // Held against what a deployment has to be, and the configuration against it, before anything is written.
    let place = arguments.out.join(DEPLOYMENT);
    let deployment = Deployment::parse(&place.display().to_string(), &draft)?;
    let candidate = own.of("nginx", &deployment)?;
    let mut files = OwnConfiguration::folder_draft(&candidate, name);
    files.push((DEPLOYMENT.to_owned(), draft));
    let paths: Vec<(PathBuf, String)> = files
        .into_iter()
        .map(|(file, text)| (arguments.out.join(file), text))
        .collect();
    if let Some((path, _)) = paths.iter().find(|(path, _)| path.exists()) {
        return Err(CommandError::Exists { path: path.clone() });
    }
    let failed = |path: &PathBuf| {
        let path = path.clone();
        |cause| CommandError::Output { path, cause }
    };
    fs::create_dir_all(&arguments.out).map_err(failed(&arguments.out))?;
    let mut told = String::new();
    for (path, text) in &paths {
        fs::write(path, text).map_err(failed(path))?;
        told.push_str(&format!("{}\n", path.display()));
    }
    let folder = arguments.out.display();
    told.push_str(&format!(
        "\nlook at {DEPLOYMENT}, then: proxyproof run {folder}/ --deployment {}\n",
        place.display()
    ));
    printer.result(&told)?;
    Ok(Exit::PASS)
}
