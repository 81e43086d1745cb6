//! A root folder to install into that is thrown away: this machine's own under an overlay, where mounts are
//! allowed; else an empty folder.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Mounts in a namespace that ends with this shell. The overlay's own files are in memory, since no overlay
/// may lie on another, which the root of a container often is.
const MOUNT: &str = r#"
mount -t tmpfs -o mode=755 tmpfs "$1" &&
mkdir "$1/upper" "$1/work" "$1/root" &&
mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$1/root" &&
mount --bind /proc "$1/root/proc" &&
mount --rbind /dev "$1/root/dev" &&
echo mounted && exec cat
"#;

/// What an empty folder has to hold before dpkg takes it for a root.
const EMPTY: [&str; 3] = ["var/lib/dpkg/info", "var/lib/dpkg/updates", "etc"];

/// The root. It goes when this is dropped.
pub struct Root {
    folder: tempfile::TempDir,
    /// The shell that holds the mounts, where there are any.
    mounted: Option<Child>,
}

impl Drop for Root {
    fn drop(&mut self) {
        if let Some(shell) = &mut self.mounted {
            let _ended = shell.kill();
            let _reaped = shell.wait();
        }
    }
}

impl Root {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mounted = mount(folder.path());
        if mounted.is_none() {
            for place in EMPTY {
                fs::create_dir_all(folder.path().join(place)).unwrap();
            }
            fs::write(folder.path().join("var/lib/dpkg/status"), "").unwrap();
        }
        Self { folder, mounted }
    }

    /// Which of the two, for people.
    pub fn kind(&self) -> &'static str {
        match self.mounted {
            Some(_) => "this machine's root under an overlay",
            None => "an empty folder, since nothing may be mounted: scripts know it by DPKG_ROOT",
        }
    }

    /// Whether it has users and programs of its own.
    pub fn has_users(&self) -> bool {
        self.mounted.is_some()
    }

    /// A place in it, as this process sees it.
    pub fn path(&self, place: &str) -> PathBuf {
        self.in_namespace(if self.has_users() { "root" } else { "" }).join(place)
    }

    /// The same place, as a program in it sees it.
    pub fn seen_inside(&self, place: &str) -> String {
        match self.mounted {
            Some(_) => format!("/{place}"),
            None => self.folder.path().join(place).display().to_string(),
        }
    }

    /// A program in it.
    pub fn run(&self, program: &str) -> Command {
        let Some(shell) = &self.mounted else {
            return Command::new(self.seen_inside(program.trim_start_matches('/')));
        };
        let mut command = Command::new("nsenter");
        command.arg("--mount").arg("--target").arg(shell.id().to_string()).arg("chroot");
        command.arg(self.folder.path().join("root")).arg(program);
        command
    }

    /// A program as one of its users, where it has users.
    pub fn run_as(&self, user: &str, program: &str) -> Command {
        if !self.has_users() {
            return self.run(program);
        }
        let mut command = self.run("setpriv");
        command.args(["--reuid", user, "--regid", user, "--clear-groups", program]);
        command
    }

    /// dpkg over it. Triggers are other packages' business.
    pub fn dpkg(&self) -> Command {
        let mut command = if self.has_users() {
            self.run("dpkg")
        } else {
            let mut command = Command::new("fakeroot");
            command.arg("dpkg").arg("--root").arg(self.folder.path());
            command.args(["--log=/dev/null", "--force-script-chrootless", "--force-depends"]);
            command
        };
        command.args(["--no-triggers", "--force-confold"]);
        command
    }

    /// Copies a package to where dpkg finds it; its path for dpkg.
    pub fn bring(&self, package: &Path) -> String {
        fs::copy(package, self.path("package.deb")).unwrap();
        self.seen_inside("package.deb")
    }

    /// All files that are not as they were, by their paths from the root.
    pub fn changed(&self) -> Vec<String> {
        let top = self.in_namespace(if self.has_users() { "upper" } else { "" });
        let mut found = Vec::new();
        let mut folders = vec![top.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.is_symlink() {
                    folders.push(path);
                } else {
                    found.push(path.strip_prefix(&top).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        found
    }

    /// A place in the folder, as it is where the mounts are.
    fn in_namespace(&self, place: &str) -> PathBuf {
        match &self.mounted {
            Some(shell) => {
                let folder = self.folder.path().strip_prefix("/").unwrap();
                Path::new("/proc")
                    .join(shell.id().to_string())
                    .join("root")
                    .join(folder)
                    .join(place)
            }
            None => self.folder.path().join(place),
        }
    }
}

/// The shell that holds the mounts, where they were allowed.
fn mount(folder: &Path) -> Option<Child> {
    let mut shell = Command::new("unshare")
        .args(["--mount", "sh", "-c", MOUNT, "sh"])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut said = String::new();
    BufReader::new(shell.stdout.take()?).read_line(&mut said).ok()?;
    if said == "mounted\n" {
        return Some(shell);
    }
    let _reaped = shell.wait();
    None
}
