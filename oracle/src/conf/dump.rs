use super::sources::Sources;

/// What `nginx -T` writes: the main file and all it includes, each after a line with its name.
///
/// ```
/// use proxyproof_oracle::conf::Dump;
///
/// let text = b"# configuration file /etc/nginx/nginx.conf:\nevents { }\n\n# configuration file /etc/nginx/a.conf:\n";
/// let dump = Dump::parse(text).expect("has a file");
/// assert_eq!(dump.main(), "/etc/nginx/nginx.conf");
/// assert_eq!(dump.sources().text("/etc/nginx/nginx.conf"), Some(&b"events { }\n"[..]));
/// ```
#[derive(Clone, Debug)]
pub struct Dump {
    text: Vec<u8>,
    files: Vec<DumpedFile>,
}

#[derive(Clone, Debug)]
struct DumpedFile {
    name: String,
    start: usize,
    end: usize,
}

const HEADER: &[u8] = b"# configuration file ";

impl Dump {
    /// Reads it; `None` where no line says that a file begins. What stands before the first is left out, as what
    /// NGINX says about the test.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut files: Vec<DumpedFile> = Vec::new();
        let mut at = 0;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let start = at;
            at += line.len();
            if let Some(name) = header(line) {
                if let Some(last) = files.last_mut() {
                    last.end = without_blank_line(text, last.start, start);
                }
                files.push(DumpedFile {
                    name,
                    start: at,
                    end: text.len(),
                });
            }
        }
        if let Some(last) = files.last_mut() {
            last.end = without_blank_line(text, last.start, text.len());
        }
        (!files.is_empty()).then(|| Self {
            text: text.to_vec(),
            files,
        })
    }

    /// The name of the main file.
    pub fn main(&self) -> &str {
        &self.files[0].name
    }

    /// The text of the main file.
    pub fn main_text(&self) -> &[u8] {
        self.text_of(&self.files[0])
    }

    /// All files, with the folder that their relative includes are looked for in.
    pub fn sources(&self) -> Sources {
        let folder = self
            .main()
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        let files = self.files.iter();
        files.fold(Sources::new().in_folder(folder), |sources, file| {
            sources.file(&*file.name, self.text_of(file))
        })
    }

    /// The offset in the dump of an offset in one of its files.
    pub fn offset(&self, name: &str, offset: u32) -> Option<u32> {
        let file = self.files.iter().find(|file| file.name == name)?;
        let at = file.start.checked_add(offset as usize)?;
        u32::try_from(at).ok().filter(|_| at <= file.end)
    }

    /// The line in the dump, from 1, of a line in one of its files.
    pub fn line(&self, name: &str, line: u32) -> Option<u32> {
        let file = self.files.iter().find(|file| file.name == name)?;
        let before = self.text[..file.start]
            .iter()
            .filter(|byte| **byte == b'\n');
        u32::try_from(before.count()).ok()?.checked_add(line)
    }

    fn text_of(&self, file: &DumpedFile) -> &[u8] {
        &self.text[file.start..file.end]
    }
}

/// The name in `# configuration file /etc/nginx/nginx.conf:`.
fn header(line: &[u8]) -> Option<String> {
    let name = line
        .strip_prefix(HEADER)?
        .trim_ascii_end()
        .strip_suffix(b":")?;
    let is_path = name.contains(&b'/') || name.contains(&b'.');
    is_path.then(|| String::from_utf8_lossy(name).into_owned())
}

/// NGINX ends each file with a line end that is not the file's.
fn without_blank_line(text: &[u8], start: usize, end: usize) -> usize {
    match text[start..end].strip_suffix(b"\n") {
        Some(rest) => start + rest.len(),
        None => end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conf::Tree;
    use crate::location::Site;

    const DUMP: &str = "nginx: configuration file /etc/nginx/nginx.conf test is successful
# configuration file /etc/nginx/nginx.conf:
events { }
http {
    include conf.d/*.conf;
}

# configuration file /etc/nginx/conf.d/site.conf:
server {
    listen 8080;
}
";

    #[test]
    fn a_dump_is_a_main_file_with_its_includes() {
        let dump = Dump::parse(DUMP.as_bytes()).unwrap();
        let tree = Tree::load(dump.main(), dump.main_text(), &mut dump.sources()).unwrap();
        let site = Site::read(&tree).unwrap();
        let place = site.servers[0].listens[0].place.unwrap();
        assert_eq!(tree.name(place.file), "/etc/nginx/conf.d/site.conf");
        let offset = dump
            .offset(tree.name(place.file), place.span.start)
            .unwrap() as usize;
        assert!(DUMP[offset..].starts_with("listen 8080;"));
        assert_eq!(dump.line(tree.name(place.file), 2), Some(10));
    }

    #[test]
    fn what_has_no_header_is_no_dump() {
        assert!(Dump::parse(b"server { }\n# configuration file:\n").is_none());
        assert!(Dump::parse(b"").is_none());
    }
}
