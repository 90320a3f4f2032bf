//! What the command line says, word for word.

#[test]
fn the_command_line_says_what_the_transcripts_say() {
    trycmd::TestCases::new()
        .case("tests/cmd/*.trycmd")
        .insert_var("[VERSION]", env!("CARGO_PKG_VERSION"))
        .unwrap();
}
