//! A candidate's program in a container: the only module that names testcontainers.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use testcontainers::bollard::Docker;
use testcontainers::bollard::query_parameters::{
    CreateImageOptions, InspectContainerOptions, KillContainerOptions, RemoveContainerOptions,
    WaitContainerOptions,
};
use testcontainers::core::{ExecCommand, Mount, client::docker_client_instance, logs::LogFrame};
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{ContainerAsync, GenericImage, ImageExt as _};

use super::{ContainerImage, Ending, Foretold, Signal, Words, private_environment, proc_table};
use crate::error::HarnessError;
use crate::patience::{Patience, RanOut};
use crate::stage::Guard;

/// A program in a container of its own, on the host's network, with the private directory at the same path.
///
/// It runs as this user: what it writes can be removed again. Dropping it removes the container.
#[derive(Debug)]
pub(crate) struct Container {
    /// Taken when it is removed.
    container: Option<ContainerAsync<GenericImage>>,
    client: Docker,
    /// The private directory's, so that there is one of it; the engine takes it wherever it takes an id.
    name: String,
    /// The number of its first process on this machine; none with an engine elsewhere.
    leader: Option<u32>,
    ending: Foretold,
    guard: Guard,
}

impl Container {
    /// Starts the program; what it prints goes where a process's would.
    pub(crate) async fn start(
        image: &ContainerImage,
        binary: &Path,
        arguments: &[String],
        directory: &Path,
        guard: &Guard,
    ) -> Result<Self, HarnessError> {
        if cfg!(not(target_os = "linux")) {
            return Err(HarnessError::Container {
                image: image.name.clone(),
                why: "containers are staged on the host's network, which only Linux has".to_owned(),
                help: "run it on Linux, or stage the program itself".to_owned(),
            });
        }
        let client = reach(image).await?;
        let output = directory.join(Words::OUTPUT);
        let output = File::create(output).map_err(|cause| HarnessError::System {
            action: "create the file for the container's output".to_owned(),
            cause,
        })?;
        let output = Mutex::new(output);
        let work = directory.display().to_string();
        let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
        let name = directory.file_name().unwrap_or(directory.as_os_str());
        let name = name.to_string_lossy().into_owned();
        let (repository, tag) = image.name_and_tag();
        let program = binary.display().to_string();
        let request = GenericImage::new(repository, tag)
            .with_container_name(&name)
            .with_cmd(std::iter::once(program).chain(arguments.iter().cloned()))
            .with_network("host")
            .with_user(format!("{}:{}", user.as_raw(), group.as_raw()))
            .with_working_dir(&work)
            .with_mount(Mount::bind_mount(&work, &work))
            .with_env_var("LC_ALL", "C")
            .with_label(LABEL, std::process::id().to_string())
            .with_log_consumer(move |frame: &LogFrame| {
                let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
                // A full disk loses words, not the run.
                let _ = output.write_all(frame.bytes());
            });
        let request = private_environment(directory).fold(request, |request, (name, folder)| {
            request.with_env_var(name, folder.display().to_string())
        });
        // Known before it is there: whatever happens in between, it does not stay.
        guard.watch_container(&name);
        let container = match request.start().await {
            Ok(container) => container,
            Err(error) => {
                // One that could not be started has been created nevertheless.
                let _ = client.remove_container(&name, Some(by_force())).await;
                guard.forget_container(&name);
                return Err(failure(image, &error));
            }
        };
        let inspected = client.inspect_container(&name, None::<InspectContainerOptions>);
        let state = inspected.await.ok().and_then(|container| container.state);
        let leader = state.and_then(|state| u32::try_from(state.pid?).ok());
        Ok(Self {
            container: Some(container),
            ending: watch_the_end(client.clone(), name.clone()),
            client,
            name,
            leader: leader.filter(|number| *number > 0),
            guard: guard.clone(),
        })
    }

    /// Its first process and the descendants of that, as this machine numbers them.
    pub(super) fn processes(&self) -> Vec<u32> {
        let Some(leader) = self.leader else {
            return Vec::new();
        };
        let children = children();
        let mut found = vec![leader];
        let mut at = 0;
        while let Some(&parent) = found.get(at) {
            found.extend(children.get(&parent).into_iter().flatten());
            at += 1;
        }
        found
    }

    pub(super) fn ending(&self) -> Option<Ending> {
        self.ending.now()
    }

    pub(super) async fn ended(&self) -> Ending {
        // An engine that is gone has taken the container with it.
        self.ending.told().await.unwrap_or(Ending::FAILED)
    }

    /// Tells the engine to send a signal; does not wait for it.
    pub(super) fn signal(&self, signal: Signal) {
        let (client, name) = (self.client.clone(), self.name.clone());
        tokio::spawn(async move { kill(&client, &name, signal.word()).await });
    }

    pub(super) async fn end(&self, signal: Signal, patience: Patience) -> Result<Ending, RanOut> {
        // The first process of a container does not get a signal that it has no handler for, as while it executes itself
        // anew for a reload (pid_namespaces(7)): it is told until it is gone.
        let telling = async {
            loop {
                kill(&self.client, &self.name, signal.word()).await;
                let ended = AGAIN.within("the candidate to be gone", self.ended());
                if let Ok(ended) = ended.await {
                    return ended;
                }
            }
        };
        let ended = patience.within("the candidate to be gone", telling).await;
        if ended.is_err() {
            kill(&self.client, &self.name, "KILL").await;
            self.ended().await;
        }
        ended
    }

    /// Runs the program once more, beside the one that serves; whether it ended with 0, and what it printed.
    pub(crate) async fn check(
        &self,
        binary: &Path,
        arguments: &[String],
        output: &Path,
    ) -> Result<Ending, HarnessError> {
        let failed = |cause: String| HarnessError::System {
            action: "run a command in the container".to_owned(),
            cause: io::Error::other(cause),
        };
        let Some(container) = &self.container else {
            return Err(failed("it is gone".to_owned()));
        };
        let program = binary.display().to_string();
        let command = ExecCommand::new(std::iter::once(program).chain(arguments.iter().cloned()));
        let running = container.exec(command).await;
        let mut running = running.map_err(|error| failed(error.to_string()))?;
        let mut printed = running.stdout_to_vec().await.unwrap_or_default();
        printed.extend(running.stderr_to_vec().await.unwrap_or_default());
        std::fs::write(output, printed).map_err(|error| failed(error.to_string()))?;
        let code = running.exit_code().await.ok().flatten();
        Ok(ending(code.unwrap_or(-1)))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let Some(container) = self.container.take() else {
            return;
        };
        // Its own drop would wait on this runtime, which may have one thread: this one.
        std::mem::forget(container);
        let name = self.name.clone();
        let removing = std::thread::spawn(move || remove(&name));
        if matches!(removing.join(), Ok(true)) {
            self.guard.forget_container(&self.name);
        }
    }
}

/// Fetches an image that is not there, telling how far it is.
///
/// # Errors
/// [`HarnessError::Container`] without an engine, or when the image can't be had.
pub async fn fetch(image: &ContainerImage, mut told: impl FnMut(&str)) -> Result<(), HarnessError> {
    let client = reach(image).await?;
    if client.inspect_image(&image.name).await.is_ok() {
        return Ok(());
    }
    told(&format!("fetching {}", image.name));
    let (name, tag) = image.name_and_tag();
    let options = CreateImageOptions {
        from_image: Some(name.to_owned()),
        tag: Some(tag.to_owned()),
        ..Default::default()
    };
    let mut progress = client.create_image(Some(options), None, None);
    while let Some(step) = progress.next().await {
        let step = step.map_err(|error| failure(image, &error))?;
        // Of a layer's way only its end is told: the steps between come many times a second.
        if let (Some("Pull complete"), Some(layer)) = (step.status.as_deref(), &step.id) {
            told(&format!("fetching {}: layer {layer} is there", image.name));
        }
    }
    Ok(())
}

/// The engine, if it answers.
async fn reach(image: &ContainerImage) -> Result<Docker, HarnessError> {
    let client = docker_client_instance().await;
    let client = client.map_err(|error| failure(image, &error))?;
    match client.ping().await {
        Ok(_) => Ok(client),
        Err(error) => Err(failure(image, &error)),
    }
}

fn failure(image: &ContainerImage, error: &(dyn std::error::Error + 'static)) -> HarnessError {
    let mut why = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        if !why.contains(&deeper.to_string()) {
            why = format!("{why}: {deeper}");
        }
        cause = deeper.source();
    }
    let said = why.to_ascii_lowercase();
    let help = if said.contains("permission denied") {
        "this user may not talk to the engine: add it to the group `docker`, or use a rootless engine"
    } else if said.contains("no such image")
        || said.contains("manifest unknown")
        || said.contains("pull access denied")
        || said.contains("failed to resolve reference")
        || said.contains("dial tcp")
    {
        "`docker pull` has to find this image, or `docker build -t` to make it"
    } else if said.contains("executable file not found") {
        "`[launch.container] binary` in the manifest says what the program is called in the image"
    } else {
        "a container engine has to run here: DOCKER_HOST, or /var/run/docker.sock; `proxyproof doctor` shows it"
    };
    HarnessError::Container {
        image: image.name.clone(),
        why,
        help: help.to_owned(),
    }
}

fn watch_the_end(client: Docker, name: String) -> Foretold {
    let (told, ending) = Foretold::channel();
    tokio::spawn(async move {
        let mut waiting = client.wait_container(&name, None::<WaitContainerOptions>);
        // bollard makes an error of every code but 0.
        let code = match waiting.next().await {
            Some(Ok(ended)) => ended.status_code,
            Some(Err(testcontainers::bollard::errors::Error::DockerContainerWaitError {
                code,
                ..
            })) => code,
            Some(Err(_)) | None => -1,
        };
        told.send_replace(Some(self::ending(code)));
    });
    ending
}

fn ending(code: i64) -> Ending {
    let code = i32::try_from(code & 0xff).unwrap_or(255);
    Ending::of(ExitStatus::from_raw(code << 8))
}

async fn kill(client: &Docker, name: &str, signal: &str) {
    let options = KillContainerOptions {
        signal: format!("SIG{signal}"),
    };
    // A container that is gone can't be told anything.
    let _ = client.kill_container(name, Some(options)).await;
}

/// Removes a container with a client and a runtime of its own; whether that was possible.
fn remove(name: &str) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let (Ok(runtime), Ok(client)) = (runtime, Docker::connect_with_defaults()) else {
        return false;
    };
    let removed = runtime.block_on(client.remove_container(name, Some(by_force())));
    removed.is_ok()
}

/// Running or not, with the volumes that its image asked for.
fn by_force() -> RemoveContainerOptions {
    RemoveContainerOptions {
        force: true,
        v: true,
        ..Default::default()
    }
}

/// Every process's children.
fn children() -> HashMap<u32, Vec<u32>> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in proc_table::entries() {
        children
            .entry(entry.parent)
            .or_default()
            .push(entry.process);
    }
    children
}

/// Long enough for a program to have installed its handlers.
const AGAIN: Patience = Patience::new("handlers", Duration::from_millis(500));

/// Says whose containers they are: `docker ps --filter label=proxyproof`.
const LABEL: &str = "proxyproof";
