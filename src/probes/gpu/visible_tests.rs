//! The cases of `CUDA_VISIBLE_DEVICES`, each with where it is said.

use super::*;

const GUIDE: &str = "CUDA Programming Guide, CUDA Environment Variables";
const MIG_GUIDE: &str = "MIG User Guide, CUDA Device Enumeration";
const TORCH: &str = "torch/cuda/__init__.py, _parse_visible_devices and _transform_uuid_to_ordinals";

const UUIDS: [&str; 4] = [
    "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6",
    "GPU-8932aaaa-0000-4106-c12f-20bd9faed9f6",
    "GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77",
    "GPU-ffffffff-d33d-2b2c-524d-9e3d8d2b8a77",
];

fn equal_gpus() -> Vec<Candidate> {
    UUIDS
        .iter()
        .map(|uuid| Candidate {
            uuid: Some((*uuid).to_owned()),
            model: "H100".to_owned(),
            ..Candidate::default()
        })
        .collect()
}

fn unequal_gpus() -> Vec<Candidate> {
    let mut gpus = equal_gpus();
    gpus.truncate(2);
    gpus[0].model = "T4".to_owned();
    gpus
}

/// Device 1 of 2 is split: MIG devices 0 and 2.
fn split_gpus() -> Vec<Candidate> {
    let mut gpus = equal_gpus();
    gpus.truncate(2);
    gpus[1].mig_mode = true;
    let instance =
        |index, uuid: &str, gi| Instance { index, uuid: Some(uuid.to_owned()), gi: Some(gi), ci: Some(0) };
    gpus[1].mig = vec![
        instance(0, "MIG-c788539f-c1ea-5a36-8b4d-9b07d024b1bb", 1),
        instance(2, "MIG-c7880000-6b05-535f-9702-f95e8cd170ce", 5),
    ];
    gpus
}

fn shown(devices: &[Candidate], visible: Option<&str>, order: Option<&str>) -> Result<String, String> {
    let chosen = select(devices, visible, order)?;
    Ok(chosen.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
}

#[test]
fn whole_gpus() {
    // The value, what is enumerated, and the source.
    let cases: [(Option<&str>, &str, &str); 24] = [
        (None, "0 1 2 3", GUIDE),
        (Some(""), "", GUIDE),
        (Some("2,1"), "2 1", GUIDE),
        (Some("0,2,-1,1"), "0 2", GUIDE),
        (Some("-1"), "", GUIDE),
        (Some("0,9,1"), "0", GUIDE),
        (Some("9"), "", GUIDE),
        (Some("3"), "3", GUIDE),
        (Some("GPU-8932f937-d72c-4106-c12f-20bd9faed9f6"), "0", GUIDE),
        (Some("GPU-8932f937"), "0", GUIDE),
        (Some("GPU-ffffffff,GPU-8932f937"), "3 0", GUIDE),
        (Some("GPU-8932"), "", TORCH),
        (Some("GPU-5d5b,GPU-8932,GPU-f"), "2", TORCH),
        (Some("GPU-0000"), "", TORCH),
        (Some("GPU-5d5b,GPU-5d5ba0d6"), "", TORCH),
        (Some("GPU-5d5b,0"), "2", TORCH),
        (Some("0,GPU-5d5b"), "0", TORCH),
        (Some("0,0"), "", TORCH),
        (Some("0,1,0"), "", TORCH),
        (Some("1gpu2,2ampere"), "1 2", TORCH),
        (Some(" 1 , 2 "), "1 2", TORCH),
        (Some("+1"), "1", TORCH),
        (Some("0,,1"), "0", TORCH),
        (Some("NoDevFiles"), "", TORCH),
    ];
    for (visible, expected, source) in cases {
        for order in [None, Some("FASTEST_FIRST"), Some("PCI_BUS_ID")] {
            assert_eq!(
                shown(&equal_gpus(), visible, order),
                Ok(expected.to_owned()),
                "{visible:?} {order:?}: {source}"
            );
        }
    }
}

#[test]
fn mig_devices() {
    let cases: [(Option<&str>, &str, &str); 12] = [
        (None, "1.mig.0", MIG_GUIDE),
        (Some("0"), "0", MIG_GUIDE),
        (Some("1"), "1.mig.0", MIG_GUIDE),
        (Some("0,1"), "1.mig.0", MIG_GUIDE),
        (Some("MIG-c7880000-6b05-535f-9702-f95e8cd170ce"), "1.mig.2", MIG_GUIDE),
        (
            Some("MIG-c788539f-c1ea-5a36-8b4d-9b07d024b1bb,MIG-c7880000-6b05-535f-9702-f95e8cd170ce"),
            "1.mig.0",
            MIG_GUIDE,
        ),
        (Some("MIG-c7880000"), "1.mig.2", GUIDE),
        (Some("MIG-c788"), "", GUIDE),
        (Some("MIG-GPU-8932aaaa-0000-4106-c12f-20bd9faed9f6/5/0"), "1.mig.2", MIG_GUIDE),
        (Some("MIG-GPU-8932aaaa-0000-4106-c12f-20bd9faed9f6/5/1"), "", MIG_GUIDE),
        (Some("MIG-GPU-8932aaaa-0000-4106-c12f-20bd9faed9f6"), "", MIG_GUIDE),
        (Some("MIG-00000000-6b05-535f-9702-f95e8cd170ce"), "", GUIDE),
    ];
    for (visible, expected, source) in cases {
        assert_eq!(shown(&split_gpus(), visible, None), Ok(expected.to_owned()), "{visible:?}: {source}");
    }
    // Two split GPUs: still one compute instance, of the first.
    let mut gpus = split_gpus();
    gpus[0].mig_mode = true;
    gpus[0].mig = gpus[1].mig.clone();
    assert_eq!(shown(&gpus, None, None), Ok("0.mig.0".to_owned()), "{MIG_GUIDE}");
    assert_eq!(shown(&gpus, Some("1,0"), None), Ok("1.mig.0".to_owned()), "{MIG_GUIDE}");
    // MIG mode without an instance: nothing to enumerate there, and nothing is hidden elsewhere.
    let mut gpus = split_gpus();
    gpus[1].mig.clear();
    assert_eq!(shown(&gpus, None, None), Ok("0".to_owned()), "{MIG_GUIDE}");
    assert_eq!(shown(&gpus, Some("1"), None), Ok(String::new()), "{MIG_GUIDE}");
}

#[test]
fn the_order_of_unequal_devices_is_only_sure_by_bus_id_or_uuid() {
    let gpus = unequal_gpus();
    assert_eq!(shown(&gpus, None, Some("PCI_BUS_ID")), Ok("0 1".to_owned()));
    assert_eq!(shown(&gpus, Some("1"), Some("PCI_BUS_ID")), Ok("1".to_owned()));
    assert_eq!(shown(&gpus, Some("GPU-8932aaaa"), None), Ok("1".to_owned()));
    assert_eq!(shown(&gpus, Some(""), None), Ok(String::new()));
    for visible in [None, Some("0"), Some("0,1")] {
        for order in [None, Some("FASTEST_FIRST"), Some("nonsense")] {
            let reason = shown(&gpus, visible, order).expect_err("the order is not documented");
            assert!(reason.contains("FASTEST_FIRST"), "{visible:?}: {reason}");
        }
    }
    // One split GPU beside an unequal one: the only instance is what CUDA finds, whatever the order.
    let mut split = split_gpus();
    split[0].model = "T4".to_owned();
    assert_eq!(shown(&split, None, None), Ok("1.mig.0".to_owned()));
}

#[test]
fn a_lost_device_makes_it_unsure_unless_none_is_wanted() {
    let mut gpus = equal_gpus();
    gpus[3].fault = Some("GPU is lost".to_owned());
    gpus[3].uuid = None;
    for visible in [None, Some("0"), Some("GPU-8932f937"), Some("GPU-ffffffff")] {
        let reason = shown(&gpus, visible, None).expect_err("a device is lost");
        assert_eq!(reason, "device 3 does not answer: GPU is lost", "{visible:?}");
    }
    assert_eq!(shown(&gpus, Some(""), None), Ok(String::new()));
    assert_eq!(shown(&gpus, Some("-1"), None), Ok(String::new()));
}
