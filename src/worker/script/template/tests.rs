use super::super::ValueTemplate;
use super::*;
use serde_json::json;

fn scope() -> Context {
    let json = json!({ "args": { "name": "Ada", "count": 3 }, "sure": { "accepted": false, "content": {} } });
    Context::new(&serde_json::from_value(json).expect("an object"))
}

fn rendered(source: &str) -> Result<String, TemplateError> {
    Template::parse(source)?.render(&scope())
}

#[test]
fn text_is_filled_in_without_escaping() {
    assert_eq!(rendered("Hello, {{ args.name }} <3"), Ok("Hello, Ada <3".into()));
    assert_eq!(rendered("nothing to fill in"), Ok("nothing to fill in".into()));
}

#[test]
fn a_lone_expression_keeps_its_type() {
    let value = |source| Template::parse(source).and_then(|template| template.value(&scope()));
    assert_eq!(value("{{ args.count + 1 }}"), Ok(json!(4)));
    assert_eq!(value("{{ args.count }} and {{ args.count }}"), Ok(json!("3 and 3")));
    assert_eq!(value("{{ args }}"), Ok(json!({ "name": "Ada", "count": 3 })));
}

#[test]
fn a_template_can_tell_the_time() {
    let template = Template::parse("{{ now_ns() }}").expect("parses");
    let shown = template.value(&scope()).expect("renders");
    assert!(shown.as_u64().is_some_and(|shown| shown <= now_ns()), "{shown}");
}

#[test]
fn a_name_that_is_not_there_is_an_error() {
    for source in ["{{ nobody }}", "{{ sure.content.yes }}", "{{ args.name.first.last }}"] {
        let error = Template::parse(source).and_then(|one| one.value(&scope())).expect_err(source);
        assert!(error.to_string().contains("not there"), "{error}");
    }
    let guarded = Expression::parse("sure.accepted and sure.content.yes").expect("parses");
    assert_eq!(guarded.holds(&scope()), Ok(false));
}

#[test]
fn a_template_that_works_too_long_is_stopped() {
    let source = "{% for i in range(9999) %}{% for j in range(9999) %}.{% endfor %}{% endfor %}";
    assert!(rendered(source).expect_err("endless").to_string().contains("too long"));
}

#[test]
fn broken_syntax_is_found_before_it_runs() {
    assert!(Template::parse("{{ args.name").is_err());
    assert!(Expression::parse("1 +").is_err());
}

#[test]
fn every_string_of_a_value_is_a_template() {
    let value = json!({ "who": "{{ args.name }}", "list": [1, "{{ args.count }}"], "on": true });
    let template = ValueTemplate::parse(&value).expect("parses");
    assert_eq!(template.value(&scope()), Ok(json!({ "who": "Ada", "list": [1, 3], "on": true })));
    assert_eq!(template.names(), BTreeSet::from(["args".to_owned()]));
}

#[test]
fn one_step_makes_no_more_than_its_share() {
    let context = scope();
    let text = Template::parse("{{ 'x' * 1000000 }}").expect("parses");
    let made = (0..10).take_while(|_| text.render(&context).is_ok()).count();
    assert_eq!(made, 4, "of a megabyte each");
    let error = text.render(&context).expect_err("too much").to_string();
    assert!(error.contains("4 MiB"), "{error}");
    let list = ValueTemplate::parse(&json!(vec!["{{ 'x' * 1000000 }}"; 10])).expect("parses");
    assert!(list.value(&scope()).is_err());
}

#[test]
fn a_long_or_deep_template_is_refused_and_ends_no_process() {
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    let chains = ["+1", "~'a'", "|upper", ".a", "[0]", "()", " and 1", " if 1 else 1", " is defined", "**1"];
    let sources = chains.map(|link| format!("a{}", link.repeat(20_000)));
    for source in sources.iter().chain([&deep, &format!("{}1", "-".repeat(20_000))]) {
        assert!(Expression::parse(source).is_err(), "{source:.40}");
        assert!(Template::parse(&format!("{{{{ {source} }}}}")).is_err(), "{source:.40}");
        assert!(Template::parse(&format!("{{% if {source} %}}{{% endif %}}")).is_err(), "{source:.40}");
    }
}

/// What is still allowed ends no process either, on a stack such as a runtime's thread has.
#[test]
fn the_longest_template_that_is_allowed_fits_the_stack() {
    let chains = [
        ("+1", 498),
        ("~'a'", 498),
        ("|upper", 498),
        (".a", 498),
        (" and 1", 498),
        ("[0]", 330),
        ("()", 498),
    ];
    for (link, times) in chains {
        let source = format!("args{}", link.repeat(times));
        let expression = Expression::parse(&source).unwrap_or_else(|error| panic!("{error}"));
        let _ = (expression.names(), expression.value(&scope()));
        let template =
            Template::parse(&format!("x {{{{ {source} }}}}")).unwrap_or_else(|error| panic!("{error}"));
        let _ = (template.names(), template.render(&scope()));
    }
    let elifs = format!("{{% if 0 %}}{}{{% endif %}}", "{% elif 0 %}".repeat(100));
    assert_eq!(rendered(&elifs), Ok(String::new()));
    let levels = (1..15).fold("{% set a = [1] %}".to_owned(), |text, _| {
        format!("{text}{{% set a = {}a{} %}}", "[".repeat(30), "]".repeat(30))
    });
    let shown = rendered(&format!("{levels}{{{{ a }}}}")).expect("renders");
    assert_eq!(shown.matches('[').count(), 14 * 30 + 1);
}

#[test]
fn a_template_cannot_hold_itself() {
    assert!(rendered("{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}").is_err());
    assert!(rendered("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}").is_err());
}
