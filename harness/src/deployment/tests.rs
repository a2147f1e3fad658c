//! What a deployment that is wrong is told.

use super::*;

#[test]
fn the_published_deployment_is_read() {
    let deployment = Deployment::cpa_two_hosts();
    assert_eq!(deployment.routes.len(), 13);
    assert_eq!(deployment.limits.request_body, 104_857_600);
}
