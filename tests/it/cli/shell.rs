//! A folder of documents, an organisation in memory, and commands typed at both.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use baseline::cli::{Io, Reach, run};
use baseline::sandbox::World;

/// Where a person sits.
pub struct Shell {
    pub world: World,
    folder: tempfile::TempDir,
}

/// What a command said.
#[derive(Debug)]
pub struct Ran {
    pub exit: u8,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Everything that was said, for a snapshot.
    pub fn said(&self) -> String {
        format!("{}--- stderr\n{}--- exit {}\n", self.out, self.err, self.exit)
    }

    /// Fails with the whole text unless the exit code is this one.
    #[track_caller]
    pub fn exits(self, code: u8) -> Self {
        assert_eq!(self.exit, code, "{}", self.said());
        self
    }

    /// Fails with the whole text unless this stands in it. Line breaks that folding put in are looked through.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat(&self.said()).contains(&flat(text)), "`{text}` is not in\n{}", self.said());
        self
    }

    #[track_caller]
    pub fn does_not_say(self, text: &str) -> Self {
        assert!(!self.said().contains(text), "`{text}` is in\n{}", self.said());
        self
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in\n{}", self.said()))
    }

    /// Fails when a line of the text is wider than the promised 80 columns.
    #[track_caller]
    pub fn fits(self) -> Self {
        for line in self.out.lines().chain(self.err.lines()) {
            assert!(line.chars().count() <= 80, "wider than 80 columns: {line}\n{}", self.said());
        }
        self
    }
}

/// A stream that can be read after it was given away.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no writer panicked").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A stream that acts when the question is asked.
struct Asked<F> {
    stream: Captured,
    act: F,
}

impl<F: FnMut() + Send> Write for Asked<F> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if String::from_utf8_lossy(bytes).contains("Only the word yes") {
            (self.act)();
        }
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Captured {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no writer panicked").clone()).expect("UTF-8")
    }
}

impl Shell {
    /// An empty folder beside this world.
    pub fn new(world: World) -> Self {
        let folder = tempfile::Builder::new().prefix("baseline-").tempdir_in("/tmp").expect("a folder");
        Self { world, folder }
    }

    /// The sample organisation and its documents, as they are shipped.
    pub fn acme() -> Self {
        let shell = Self::new(World::acme());
        copy(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/desired-state")), &shell.dir());
        shell
    }

    /// Accounts that need one change each, a new detector in one region, and their documents.
    pub fn many(accounts: usize) -> Self {
        const SIX_HOURS: i64 = 6 * 3_600_000;
        let shell = Self::new(World::many(accounts));
        // A controller's slots follow the clock: they are to fall alike at any time of day.
        let since = shell.world.now().as_millisecond().rem_euclid(SIX_HOURS);
        shell.world.advance(Duration::from_millis((SIX_HOURS - since).unsigned_abs()));
        shell.write("organization.yaml", organization("", ""));
        shell.write("baselines/detector.yaml", DETECTOR);
        for index in 1..accounts {
            shell.account(
                &format!("account-{index:02}"),
                &format!("{}", 100_000_000_000_u64 + index as u64 - 1),
            );
        }
        shell
    }

    /// The folder with the desired state.
    pub fn dir(&self) -> PathBuf {
        self.folder.path().join("desired-state")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of the desired state.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.dir().join(name);
        std::fs::create_dir_all(path.parent().expect("inside")).expect("a folder");
        std::fs::write(path, text).expect("written");
    }

    /// Replaces text in a file of the desired state, which must be there.
    #[track_caller]
    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.dir().join(name)).expect("read");
        assert!(text.contains(from), "`{from}` is not in {name}");
        self.write(name, text.replace(from, to));
    }

    /// Writes the document of an account.
    pub fn account(&self, name: &str, id: &str) {
        let head = "apiVersion: baseline/v1\nkind: Account\nmetadata:\n";
        self.write(
            &format!("accounts/{name}.yaml"),
            format!("{head}  name: {name}\nspec:\n  id: \"{id}\"\n"),
        );
    }

    /// Runs git in the folder with the desired state, and gives what it says.
    pub fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .current_dir(self.dir())
            .args(["-c", "user.name=jo", "-c", "user.email=jo@acme.example", "-c", "commit.gpgsign=false"])
            .args(arguments)
            .output()
            .expect("git runs");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Commits everything, and gives the revision.
    pub fn commit(&self) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "x"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Types a command, words apart by spaces, without a terminal.
    pub fn run(&self, command: &str) -> Ran {
        self.answering("", command)
    }

    /// The same with somebody at the terminal.
    pub fn answering(&self, answers: &'static str, command: &str) -> Ran {
        let mut words: Vec<String> =
            command.split_whitespace().map(|word| word.replace('@', &self.at(""))).collect();
        let takes_documents = [
            "plan",
            "apply",
            "drift",
            "validate",
            "render",
            "observe",
            "undo",
            "import",
            "report",
            "run",
            "reconcile",
            "exceptions",
            "doctor",
        ];
        let asks_for_help = words.iter().any(|word| word == "--help" || word == "-f" || word == "--source");
        if words.first().is_some_and(|first| takes_documents.contains(&first.as_str())) && !asks_for_help {
            words.extend(["-f".to_owned(), self.dir().display().to_string()]);
        }
        self.typed(answers, words)
    }

    /// Says yes to an apply, and does something at the moment when it asks.
    pub fn meanwhile(&self, command: &str, act: impl FnMut() + Send + 'static) -> Ran {
        let words = command.split_whitespace().map(String::from);
        let words = words.chain(["-f".to_owned(), self.dir().display().to_string()]);
        let (out, err) = (Captured::default(), Captured::default());
        let err_stream = Asked { stream: err.clone(), act };
        let mut io = Io::of_streams(out.clone(), err_stream, "yes\n");
        self.carry_out(words.collect(), &mut io, &out, &err)
    }

    /// Types words that may hold anything.
    pub fn typed(&self, answers: &'static str, words: Vec<String>) -> Ran {
        let (out, err) = (Captured::default(), Captured::default());
        let mut io = Io::of_streams(out.clone(), err.clone(), answers);
        self.carry_out(words, &mut io, &out, &err)
    }

    fn carry_out(&self, words: Vec<String>, io: &mut Io, out: &Captured, err: &Captured) -> Ran {
        let words = std::iter::once("baseline".to_owned()).chain(words).map(Into::into);
        let exit = run(words, io, Reach::Sandbox(self.world.clone()));
        Ran { exit: exit.code(), out: out.text(), err: err.text() }
    }

    fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.folder.path().display())
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("listed") {
        let entry = entry.expect("listed");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("known").is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copied");
        }
    }
}

/// One control with one change in one region.
const DETECTOR: &str = "\
apiVersion: baseline/v1
kind: Baseline
metadata: {name: detector}
spec:
  controls:
    guardduty.detector: {enabled: true}
";

/// An Organization for the worlds of the sandbox; both texts are put under `spec`.
pub fn organization(seats: &str, more: &str) -> String {
    format!(
        "\
apiVersion: baseline/v1
kind: Organization
metadata: {{name: many}}
spec:
  id: o-a1b2c3d4e5
  seats: {{management: \"999988887777\"{seats}}}
  roles: {{observe: baseline-observe, apply: baseline-apply, externalId: acme-baseline}}
  regions: {{home: eu-west-1, managed: [eu-west-1]}}
  baselines: [{{use: detector}}]
{more}"
    )
}

/// Compares snapshots without what differs from run to run: folders, run ids, request ids, times, digests.
pub fn steadily(compare: impl FnOnce()) {
    let mut settings = insta::Settings::clone_current();
    for (pattern, with) in [
        (r"/tmp/baseline-[A-Za-z0-9]{6}", "/tmp/baseline-xxxxxx"),
        (r"\b01[0-9A-HJKMNP-TV-Z]{24}\b", "01RUNRUNRUNRUNRUNRUNRUNRUN"),
        (r"\b\d+\.\d s\b", "0.0 s"),
        (r"sha256:[0-9a-f]{12}\b", "sha256:0123456789ab"),
        (r"sha256:[0-9a-f]{64}", "sha256:whole"),
        (r"\b\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)? UTC", "<time>"),
    ] {
        settings.add_filter(pattern, with);
    }
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(compare);
}
