//! Serves the tunnel front alone.

use std::{fs, path::Path};

use proxyproof_mocks::{
    certificate::Leaf,
    front::{InboundSettings, RunningFront},
};
use serde_json::{Value, json};

use crate::{
    args::FrontArguments,
    error::CommandError,
    exit::Exit,
    foreground::{Serving, count, serve},
    printer::Printer,
};

pub(super) fn front(arguments: &FrontArguments, printer: &Printer) -> Result<Exit, CommandError> {
    let settings = InboundSettings::read(&text_of(&arguments.config)?).map_err(|cause| {
        CommandError::Tunnel {
            path: arguments.config.clone(),
            cause: Box::new(cause),
        }
    })?;
    let (certificate, key) = (text_of(&arguments.cert)?, text_of(&arguments.key)?);
    let leaf =
        Leaf::from_pem(&certificate, &key).map_err(|cause| CommandError::CertificateFile {
            path: arguments.cert.clone(),
            cause,
        })?;
    let listen = arguments.door.listen;
    let start = async {
        let started = settings.front(leaf).listen(listen).start().await;
        started.map_err(|cause| CommandError::Listen {
            address: listen,
            cause,
        })
    };
    serve(start, arguments.door.ready.as_deref(), printer)
}

impl Serving for RunningFront {
    fn introduction(&self) -> String {
        format!("front  https://{}\n", self.address())
    }

    fn ready(&self) -> Value {
        let address = self.address();
        json!({
            "base_url": format!("https://{address}"),
            "listen": address.to_string(),
            "port": address.port(),
        })
    }

    fn served(&mut self) -> String {
        let connections = self.connections().len() as u64 + self.forgotten();
        format!("served {}\n", count(connections, "connection"))
    }
}

fn text_of(path: &Path) -> Result<String, CommandError> {
    fs::read_to_string(path).map_err(|cause| CommandError::Input {
        path: path.to_owned(),
        cause,
    })
}
