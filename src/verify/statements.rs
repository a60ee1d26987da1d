//! Whether a manifest's SQL is what makes its objects.

use super::finding::{Findings, Place, short};
use crate::archive::manifest::Manifest;
use crate::sql::statement;

/// Checks the statements of every object.
pub(super) fn check(manifest: &Manifest, findings: &mut Findings) {
    for object in &manifest.objects {
        if let Err(what) = statement::check(object) {
            findings
                .add(Place::Object { id: object.id.0, identity: short(&object.identity) }, what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::testing;

    #[test]
    fn a_statement_that_makes_no_object_is_found() {
        let mut manifest = testing::manifest();
        let found = |manifest: &Manifest| {
            let mut findings = Findings::default();
            check(manifest, &mut findings);
            findings.into_list().iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert!(found(&manifest).is_empty());
        manifest.objects[1].statements = vec!["COPY public.services FROM PROGRAM 'id'".to_owned()];
        assert_eq!(
            found(&manifest),
            ["object 1 (TABLE public.routes): its statement begins with \"COPY public .\", by \
                 which no table is made"]
        );
    }
}
