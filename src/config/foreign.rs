//! What a file says that iipsrv was run with: a file of environment variables, a systemd unit, or a
//! snippet of nginx, lighttpd or Apache. Whatever is not about iipsrv is passed over.

use std::mem::take;
use std::net::SocketAddr;

use crate::config::keys::KEYS;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Foreign {
    /// Variables of iipsrv's process, in the file's order.
    pub environment: Vec<(String, String)>,
    /// Where iipsrv was to listen, as `server.fastcgi` is written; nothing where the file does not say.
    pub bind: Option<String>,
    /// What the operator should know.
    pub notes: Vec<String>,
}

impl Foreign {
    /// Reads a whole file.
    pub fn read(text: &str) -> Self {
        let mut found = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            found.read_line(line);
        }
        found
    }

    fn read_line(&mut self, line: &str) {
        let words = words(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["fastcgi_pass", address, ..] => self.passed_to(address),
            ["fastcgi_param", name, ..] if is_setting(name) => self.notes.push(format!(
                "fastcgi_param {name} sets nothing, with iipsrv or with Tessera: settings are variables \
                 of the process, not of a request"
            )),
            ["FcgidInitialEnv", name, value] => self.set(name, value),
            words if words.contains(&"=>") => {
                for pair in words.windows(3) {
                    if let [name, "=>", value] = pair {
                        self.pair_of_lighttpd(name, value);
                    }
                }
            }
            words => words.iter().for_each(|word| self.assignment(word)),
        }
    }

    /// `NAME=VALUE`, alone, or behind `export`, `-initial-env` or systemd's `Environment=`.
    fn assignment(&mut self, word: &str) {
        let word = word.strip_prefix("Environment=").unwrap_or(word);
        if let Some((name, value)) = word.split_once('=') {
            self.set(name, value);
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        if !name.is_empty() && name.chars().all(is_name) {
            self.environment.push((name.to_owned(), value.to_owned()));
        }
    }

    fn passed_to(&mut self, address: &str) {
        if address.parse::<SocketAddr>().is_ok() || address.starts_with("unix:") {
            self.bind = Some(address.trim_end_matches(':').to_owned());
        } else {
            self.notes
                .push(format!("nginx passes requests to `{address}`: see its upstream block"));
        }
    }

    fn pair_of_lighttpd(&mut self, name: &str, value: &str) {
        match name {
            "bin-path" => {
                self.bind = Some("-".to_owned());
                self.notes.push(format!("lighttpd starts {value}: link Tessera to that name"));
            }
            "max-procs" if value != "1" => self.notes.push(format!(
                "max-procs is {value}: one process uses all cores, and more of them divide the cache"
            )),
            "socket" if self.bind.is_none() => self.bind = Some(format!("unix:{value}")),
            "port" if self.bind.is_none() => self.bind = Some(format!("127.0.0.1:{value}")),
            _ => self.set(name, value),
        }
    }
}

/// Whether iipsrv has a setting of this name.
fn is_setting(name: &str) -> bool {
    KEYS.iter().any(|key| key.iipsrv.is_some_and(|(known, _)| known == name))
}

/// The words of a line: parted by spaces, brackets, commas and semicolons; quoted ones without quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, ' ' | '\t' | ';' | '(' | ')' | ',') => {
                words.push(take(&mut word));
            }
            (_, c) => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(text: &str) -> Vec<(String, String)> {
        Foreign::read(text).environment
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn variables_are_found_however_they_are_set() {
        let expected = vec![pair("FILESYSTEM_PREFIX", "/srv/images/"), pair("JPEG_QUALITY", "90")];
        for text in [
            "# comment\nFILESYSTEM_PREFIX=/srv/images/\nJPEG_QUALITY=90\n",
            "export FILESYSTEM_PREFIX=\"/srv/images/\"\nexport JPEG_QUALITY='90'",
            "[Service]\nEnvironment=\"FILESYSTEM_PREFIX=/srv/images/\" JPEG_QUALITY=90",
            "FcgidInitialEnv FILESYSTEM_PREFIX \"/srv/images/\"\nFcgidInitialEnv JPEG_QUALITY 90",
            "FastCgiServer /x/iipsrv.fcgi -initial-env FILESYSTEM_PREFIX=/srv/images/ \
             -initial-env JPEG_QUALITY=90",
            "\"bin-environment\" => (\n \"FILESYSTEM_PREFIX\" => \"/srv/images/\",\n \
             \"JPEG_QUALITY\" => \"90\"\n)",
        ] {
            assert_eq!(environment(text), expected, "{text}");
        }
    }

    #[test]
    fn where_iipsrv_listened_is_found() {
        for (text, bind) in [
            ("fastcgi_pass 127.0.0.1:9000;", Some("127.0.0.1:9000")),
            ("    fastcgi_pass unix:/run/iipsrv.sock;", Some("unix:/run/iipsrv.sock")),
            ("\"socket\" => \"/tmp/iipsrv.socket\",", Some("unix:/tmp/iipsrv.socket")),
            ("\"host\" => \"127.0.0.1\", \"port\" => 9000", Some("127.0.0.1:9000")),
            ("\"bin-path\" => \"/x/iipsrv.fcgi\",\n\"socket\" => \"/tmp/s\"", Some("-")),
            ("fastcgi_pass backends;", None),
            ("", None),
        ] {
            assert_eq!(Foreign::read(text).bind.as_deref(), bind, "{text}");
        }
    }

    #[test]
    fn what_does_not_do_what_it_seems_to_is_told() {
        for (text, expected) in [
            ("fastcgi_param FILESYSTEM_PREFIX /srv/;", "FILESYSTEM_PREFIX sets nothing"),
            ("\"max-procs\" => 4,", "max-procs is 4"),
            ("fastcgi_pass backends;", "`backends`"),
            ("\"bin-path\" => \"/x/iipsrv.fcgi\"", "link Tessera"),
        ] {
            let notes = Foreign::read(text).notes;
            assert!(notes.iter().any(|note| note.contains(expected)), "{text}: {notes:?}");
        }
        assert_eq!(Foreign::read("fastcgi_param QUERY_STRING $query_string;"), Foreign::default());
    }

    #[test]
    fn our_own_configurations_say_what_they_should() {
        let spawned = include_str!("../../deploy/lighttpd/spawned.conf");
        let fcgid = include_str!("../../deploy/apache/fcgid.conf");
        for text in [spawned, fcgid] {
            let found = environment(text);
            assert!(found.contains(&pair("FILESYSTEM_PREFIX", "/srv/images/")), "{found:?}");
            assert!(found.contains(&pair("VERBOSITY", "1")), "{found:?}");
        }
        let nginx = Foreign::read(include_str!("../../deploy/nginx/iipsrv.conf"));
        assert_eq!((nginx.bind.as_deref(), nginx.environment.len()), (Some("127.0.0.1:9000"), 0));
    }
}
