//! What is generated lies in the repository as it would be generated now.

use baseline::cli::{Io, Reach, run};
use baseline::sandbox::World;

use super::files::root;

#[test]
fn generated_files_are_up_to_date() {
    let root = root().display().to_string();
    let words = ["baseline", "generate", "docs", &root, "--check"].map(Into::into);
    let mut io = Io::of_streams(std::io::stdout(), std::io::stderr(), "");
    let exit = run(words, &mut io, Reach::Sandbox(World::default()));
    assert_eq!(exit.code(), 0, "stale files are listed above: `cargo run -- generate docs` writes them");
}
