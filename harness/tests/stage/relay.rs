//! The least that can be staged: every connection goes to CPA, without its PROXY header.
//!
//! Its file has a behaviour, the address to listen on and the address to connect to, a line each.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Runs until it is killed, or does what its file says.
pub(crate) fn run(file: &str) -> ExitCode {
    let text = std::fs::read_to_string(file).expect("the stage wrote it");
    let lines: Vec<&str> = text.lines().collect();
    let [behaviour, listen, upstream] = lines[..] else {
        return say("three lines, please");
    };
    let first_time = !Path::new("started").exists();
    std::fs::write("started", "").expect("the working directory is ours");
    match behaviour {
        "refuse" => return say(&format!("{file}: line 1: I would rather not")),
        "taken" => return say("bind: Address already in use (os error 98)"),
        "taken once" if first_time => return say("bind: Address already in use (os error 98)"),
        "hang" => loop {
            std::thread::park();
        },
        _ => {}
    }
    match serve(behaviour, listen, upstream) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Its sockets are closed by now; how long until its end is known depends on the machine.
            std::thread::park_timeout(Duration::from_millis(200));
            say(&error.to_string())
        }
    }
}

fn say(words: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "{words}");
    ExitCode::from(7)
}

fn serve(behaviour: &str, listen: &str, upstream: &str) -> io::Result<()> {
    for client in TcpListener::bind(listen)?.incoming() {
        let client = client?;
        let mut reader = BufReader::new(client.try_clone()?);
        let mut header = String::new();
        reader.read_line(&mut header)?;
        if behaviour == "impostor" {
            (&client).write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
            continue;
        }
        if reader.fill_buf()?.starts_with(b"GET /die ") {
            return Err(io::Error::other("that was too much"));
        }
        let server = TcpStream::connect(upstream)?;
        let (mut back, mut to_client) = (server.try_clone()?, client);
        std::thread::spawn(move || {
            let _ = io::copy(&mut reader, &mut &server);
            server.shutdown(Shutdown::Write)
        });
        std::thread::spawn(move || {
            let _ = io::copy(&mut back, &mut to_client);
            to_client.shutdown(Shutdown::Write)
        });
    }
    Ok(())
}
