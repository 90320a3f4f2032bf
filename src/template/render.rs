//! [`Template`] × [`Answers`] → [`Tree`].
//!
//! Handlebars does the text, with one registry a [`Sink`], so that a value is escaped for the place it lands in; what Handlebars lets
//! pass in silence (a misspelt condition, an unescaped value, a refused value) is an error here.

use super::answers::Answers;
use super::sink::Sink;
use super::{Partial, Source, Template, TemplateError, parse};
use crate::tree::{File, RelPath, Tree};
use handlebars::template::{Template as Compiled, TemplateElement};
use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, JsonTruthy, Output, RenderContext,
    RenderErrorReason, Renderable, ScopedJson,
};
use std::sync::{Arc, Mutex};

/// The files that `template` makes of `answers`, each proved to be readable by its own kind's parser.
pub(crate) fn render(template: &Template, answers: &Answers) -> Result<Tree, TemplateError> {
    let data = answers.to_json();
    let mut renderer = Renderer::new(template);
    let mut tree = Tree::default();
    for source in &template.files {
        let Some(reason) = reason(template, source, answers) else {
            continue;
        };
        let path = renderer.path(source, &data)?;
        let bytes = match source.path.strip_suffix(".hbs") {
            None => source.bytes.to_vec(),
            Some(_) => renderer.text(source, Sink::of(path.file_name()), &data)?,
        };
        let file = File {
            bytes,
            executable: source.executable,
            id: source.path.clone(),
            reason,
        };
        if tree.insert(path.clone(), file).is_some() {
            let reason = format!("another file of the template is `{path}` already");
            return Err(renderer.failure(source, reason));
        }
    }
    parse::check(template, &tree)?;
    Ok(tree)
}

/// The default of an option, which may use the `answers` so far.
pub(crate) fn render_default(
    template: &Template,
    answers: &Answers,
    default: &str,
) -> Result<String, TemplateError> {
    if !default.contains("{{") {
        return Ok(default.to_owned());
    }
    Renderer::new(template).render("a default", default, Sink::Value, &answers.to_json())
}

/// Why the file is written, or `None` where a condition of the manifest leaves it out.
fn reason(template: &Template, source: &Source, answers: &Answers) -> Option<String> {
    let mut reasons = Vec::new();
    for (prefix, condition) in &template.manifest.when {
        if !covers(prefix, &source.path) {
            continue;
        }
        if !condition.holds(answers) {
            return None;
        }
        reasons.push(condition.words());
    }
    if reasons.is_empty() {
        Some("always".to_owned())
    } else {
        Some(format!("because {}", reasons.join(" and ")))
    }
}

/// Whether `path` is `prefix` or lies below it.
pub(crate) fn covers(prefix: &str, path: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The registries, each made when the first file of its kind comes.
struct Renderer<'a> {
    template: &'a Template,
    registries: Vec<(Sink, Handlebars<'static>)>,
    refusal: Arc<Mutex<Option<String>>>,
}

impl<'a> Renderer<'a> {
    fn new(template: &'a Template) -> Self {
        Self {
            template,
            registries: Vec::new(),
            refusal: Arc::default(),
        }
    }

    /// The path of `source`, rendered component by component and without `.hbs`.
    fn path(
        &mut self,
        source: &Source,
        data: &serde_json::Value,
    ) -> Result<RelPath, TemplateError> {
        let path = source.path.strip_suffix(".hbs").unwrap_or(&source.path);
        let mut components = Vec::new();
        for component in path.split('/') {
            components.push(if component.contains("{{") {
                self.render(&source.path, component, Sink::Path, data)?
            } else {
                component.to_owned()
            });
        }
        RelPath::parse(&components.join("/")).map_err(|error| TemplateError::Path {
            template: self.template.manifest.id.clone(),
            file: source.path.clone(),
            source: error,
        })
    }

    fn text(
        &mut self,
        source: &Source,
        sink: Sink,
        data: &serde_json::Value,
    ) -> Result<Vec<u8>, TemplateError> {
        let text = std::str::from_utf8(source.bytes)
            .map_err(|error| self.failure(source, error.to_string()))?;
        let rendered = self.render(&source.path, text, sink, data)?;
        if rendered.trim().is_empty() {
            let reason = "it is blank for these answers, where `when` should leave it out";
            return Err(self.failure(source, reason.to_owned()));
        }
        Ok(rendered.into_bytes())
    }

    fn render(
        &mut self,
        file: &str,
        text: &str,
        sink: Sink,
        data: &serde_json::Value,
    ) -> Result<String, TemplateError> {
        let template = self.template.manifest.id.clone();
        let fail = |reason: String| TemplateError::Render {
            template: template.clone(),
            file: file.to_owned(),
            reason,
        };
        let compiled = compile(file, text).map_err(&fail)?;
        let refusal = Arc::clone(&self.refusal);
        let partials = &self.template.partials;
        let registry = self.registry(sink);
        register_partials(registry, partials, text).map_err(&fail)?;
        registry.register_template(file, compiled);
        let rendered = registry
            .render(file, data)
            .map_err(|error| fail(error.to_string()))?;
        let refused = refusal.lock().ok().and_then(|mut refusal| refusal.take());
        refused.map_or(Ok(rendered), |reason| Err(fail(reason)))
    }

    fn registry(&mut self, sink: Sink) -> &mut Handlebars<'static> {
        let index = self.registries.iter().position(|(made, _)| *made == sink);
        let index = index.unwrap_or_else(|| {
            let registry = registry(sink, Arc::clone(&self.refusal));
            self.registries.push((sink, registry));
            self.registries.len() - 1
        });
        &mut self.registries[index].1
    }

    fn failure(&self, source: &Source, reason: String) -> TemplateError {
        TemplateError::Render {
            template: self.template.manifest.id.clone(),
            file: source.path.clone(),
            reason,
        }
    }
}

/// The compiled text; `{{{x}}}` and `{{&x}}`, which no sink would see, are refused.
pub(crate) fn compile(name: &str, text: &str) -> Result<Compiled, String> {
    if !text.contains("{{") {
        // Most of what is rendered is locks, which the grammar need not read letter by letter.
        let mut plain = Compiled::new();
        plain
            .elements
            .push(TemplateElement::RawString(text.to_owned()));
        return Ok(plain);
    }
    let compiled = Compiled::compile_with_name(text, name.to_owned());
    let compiled = compiled.map_err(|error| error.to_string())?;
    if writes_unescaped(&compiled) {
        return Err("`{{{…}}}` and `{{&…}}` would write a value unescaped".to_owned());
    }
    Ok(compiled)
}

/// Whether a value passes by the sink somewhere.
fn writes_unescaped(template: &Compiled) -> bool {
    template.elements.iter().any(|element| match element {
        TemplateElement::HtmlExpression(_) => true,
        TemplateElement::HelperBlock(helper) => {
            let mut branches = helper.template.iter().chain(&helper.inverse);
            branches.any(writes_unescaped)
        }
        TemplateElement::DecoratorBlock(block) | TemplateElement::PartialBlock(block) => {
            block.template.as_ref().is_some_and(writes_unescaped)
        }
        _ => false,
    })
}

fn registry(sink: Sink, refusal: Arc<Mutex<Option<String>>>) -> Handlebars<'static> {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    registry.register_escape_fn(move |value| match sink.escape(value) {
        Ok(text) => text,
        Err(reason) => {
            if let Ok(mut refusal) = refusal.lock() {
                *refusal = Some(format!("`{}`: {reason}", value.escape_debug()));
            }
            String::new()
        }
    });
    registry.register_helper("if", Box::new(StrictCondition { positive: true }));
    registry.register_helper("unless", Box::new(StrictCondition { positive: false }));
    registry.register_helper("concat", Box::new(TextHelper(concat)));
    registry.register_helper("kebab", Box::new(TextHelper(kebab)));
    registry.register_helper("snake", Box::new(TextHelper(snake)));
    registry
}

/// Registers the partials that `text` puts in, and those that they put in.
fn register_partials(
    registry: &mut Handlebars<'static>,
    partials: &[Partial],
    text: &str,
) -> Result<(), String> {
    for partial in partials_in(text, partials) {
        let name = &partial.name;
        if registry.has_template(name) {
            continue;
        }
        let compiled = compile(name, partial.text)?;
        registry.register_template(name, compiled);
        register_partials(registry, partials, partial.text)?;
    }
    Ok(())
}

/// The partials that `text` itself puts in, a template's own before a shared one of the same name.
pub(crate) fn partials_in<'a>(text: &str, partials: &'a [Partial]) -> Vec<&'a Partial> {
    let tags: Vec<&str> = text.split("{{> ").skip(1).collect();
    if tags.is_empty() {
        return Vec::new();
    }
    let is_used = |partial: &&Partial| tags.iter().any(|tag| may_name(tag, &partial.name));
    partials.iter().rev().filter(is_used).collect()
}

/// Whether the rest of a tag, after `{{> `, may name the partial; of a computed name, only the beginning is known.
fn may_name(tag: &str, name: &str) -> bool {
    match tag.strip_prefix("(concat \"") {
        Some(computed) => name.starts_with(computed.split('"').next().unwrap_or_default()),
        None => tag.starts_with('(') || tag.split([' ', '}']).next() == Some(name),
    }
}

/// `if` and `unless` for which an unknown variable is an error, not the other branch.
struct StrictCondition {
    positive: bool,
}

impl HelperDef for StrictCondition {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        render_context: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let condition = helper
            .param(0)
            .ok_or(RenderErrorReason::ParamNotFoundForIndex("if", 0))?;
        if condition.is_value_missing() {
            let name = condition.relative_path().cloned();
            return Err(RenderErrorReason::MissingVariable(name).into());
        }
        let branch = if condition.value().is_truthy(false) == self.positive {
            helper.template()
        } else {
            helper.inverse()
        };
        branch.map_or(Ok(()), |branch| {
            branch.render(registry, context, render_context, out)
        })
    }
}

/// A helper from texts to a text, which the sink then escapes.
struct TextHelper(fn(&[&str]) -> String);

impl HelperDef for TextHelper {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, handlebars::RenderError> {
        let mut texts = Vec::new();
        for parameter in helper.params() {
            let text = parameter.value().as_str().ok_or_else(|| {
                let name = parameter.relative_path().cloned();
                RenderErrorReason::MissingVariable(name)
            })?;
            texts.push(text);
        }
        Ok(ScopedJson::Derived((self.0)(&texts).into()))
    }
}

fn concat(texts: &[&str]) -> String {
    texts.concat()
}

/// `my_project` → `my-project`.
fn kebab(texts: &[&str]) -> String {
    texts.concat().replace('_', "-")
}

/// `My Project!` → `my_project`: what is neither letter nor digit of ASCII separates words.
fn snake(texts: &[&str]) -> String {
    let text = texts.concat().to_ascii_lowercase();
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::manifest::Manifest;

    fn template(files: &[(&str, &'static str)]) -> Template {
        let manifest = r#"{ "id": "t", "version": "1.0.0", "name": "T", "description": "T",
            "options": { "name": { "type": "string", "description": "n", "default": "a \"b\" $c" } } }"#;
        let manifest: Manifest = serde_json::from_str(manifest).unwrap();
        let files = files.iter().map(|(path, text)| Source {
            path: (*path).to_owned(),
            bytes: text.as_bytes(),
            executable: false,
        });
        Template {
            manifest,
            files: files.collect(),
            partials: Vec::new(),
            modules: std::collections::BTreeSet::default(),
        }
    }

    fn rendered(path: &str, text: &'static str) -> Result<String, String> {
        let template = template(&[(path, text)]);
        let answers = Answers::resolve(&template, Vec::new(), |_| Ok(None)).unwrap();
        let tree = render(&template, &answers).map_err(|error| error.to_string())?;
        let (_, file) = tree.iter().next().expect("one file was rendered");
        Ok(String::from_utf8(file.bytes.clone()).unwrap())
    }

    #[test]
    fn a_value_is_escaped_for_the_file_it_lands_in() {
        assert_eq!(
            rendered("a.json.hbs", "\"{{name}}\"").unwrap(),
            r#""a \"b\" $c""#
        );
        assert_eq!(
            rendered("Dockerfile.hbs", "FROM x\nARG x=\"{{name}}\"").unwrap(),
            "FROM x\nARG x=\"a \\\"b\\\" \\$c\""
        );
        assert_eq!(
            rendered("a.sh.hbs", "echo {{name}}").unwrap(),
            r#"echo 'a "b" $c'"#
        );
        assert_eq!(rendered("a.txt.hbs", "{{snake name}}").unwrap(), "a_b_c");
    }

    #[test]
    fn a_file_without_the_suffix_is_copied_byte_for_byte() {
        assert_eq!(
            rendered("a.yml", "${{ matrix.python }}").unwrap(),
            "${{ matrix.python }}"
        );
    }

    #[test]
    fn what_handlebars_lets_pass_is_an_error() {
        for text in [
            "x{{typo}}",
            "x{{#if typo}}y{{/if}}",
            "x{{#unless typo}}y{{/unless}}",
            "x{{snake typo}}",
            "x{{#if (eq typo \"a\")}}y{{/if}}",
            "x{{> missing}}",
            "x{{{name}}}",
            "x{{&name}}",
            "x{{~{name}~}}",
            "x{{ &name}}",
            "x{{#if name}}{{{name}}}{{/if}}",
            " \n",
        ] {
            assert!(rendered("a.json.hbs", text).is_err(), "{text:?} passed");
        }
        let error = rendered("notes.txt.hbs", "{{name}}").unwrap_err();
        assert!(error.contains("whose syntax is not known"), "{error}");
    }

    #[test]
    fn a_file_that_its_reader_would_refuse_is_never_rendered() {
        for (path, text) in [
            ("a.json.hbs", "{ \"{{name}}\" }"),
            ("a.toml.hbs", "x = {{name}}"),
            ("a.yml", "a: \"b"),
            ("Dockerfile", "RUN true"),
        ] {
            let error = rendered(path, text).unwrap_err();
            assert!(error.contains("would write a broken"), "{error}");
        }
    }

    #[test]
    fn a_path_is_rendered_component_by_component() {
        let error = rendered("{{name}}/a.txt", "x").unwrap_err();
        assert!(error.contains("none of"), "{error}");
    }
}
