//! Findings as JUnit's XML: a test case for each, failed where the finding is denied. A finding to look at is a case
//! that passed and says so in `system-out`: the format has no warnings, and a skipped test is another thing.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Run, message, place};
use crate::error::Error;
use crate::gate::finding::{Finding, Level};
use crate::snapshot::value::shown;

/// The whole document.
///
/// # Errors
///
/// Ours alone: text that XML cannot hold.
pub fn text(findings: &[Finding], run: &Run) -> Result<String, Error> {
    let name = format!("driftlock {}", run.command);
    let mut suite = TestSuite::new(name.as_str());
    for (key, value) in &run.about {
        suite.add_property((*key, shown(value).as_ref()));
    }
    suite.add_test_cases(findings.iter().map(|finding| case(finding, run)));
    if !findings.iter().any(|f| f.level == Level::Deny) {
        // Without a case, readers take a run for one that did not happen.
        let mut passed = TestCase::new(shown(&run.summary).as_ref(), TestCaseStatus::success());
        passed.set_classname(name.as_str());
        suite.add_test_case(passed);
    }
    let mut report = Report::new(name.as_str());
    report.add_test_suite(suite);
    report.to_string().map_err(Error::bug)
}

fn case(finding: &Finding, run: &Run) -> TestCase {
    let message = message(finding);
    let denied = finding.level == Level::Deny;
    let status = if denied {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        let kind = finding.effect.map_or("policy", |e| e.word());
        status.set_type(kind).set_message(shown(&finding.title).as_ref()).set_description(message.as_str());
        status
    } else {
        TestCaseStatus::success()
    };
    // Two findings of one rule differ in their facts or places.
    let (path, line) = place(finding, run);
    // The name has no values in it, so that a history of tests knows the case again.
    let what = finding.facts.first().map_or_else(|| format!("{path}:{line}"), |f| f.fact.clone());
    let mut case = TestCase::new(shown(&format!("{}: {what}", finding.rule)).as_ref(), status);
    case.set_classname(shown(&format!("driftlock {}.{}", run.command, finding.rule)).as_ref());
    case.add_property(("file", shown(&format!("{path}:{line}")).as_ref()));
    if !denied {
        case.set_system_out(format!("{}: {message}", finding.level.word()));
    }
    case
}
