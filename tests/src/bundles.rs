//! Bundles to tamper with, by somebody who knows their form.

use crate::processes::Folder;
use events::vocab::bytes::Hash32;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::Path};

/// Every file under a folder, by name.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut ahead = vec![folder.to_owned()];
    while let Some(inside) = ahead.pop() {
        for entry in fs::read_dir(inside).expect("a bundle is readable") {
            let path = entry.expect("a bundle is readable").path();
            if path.is_dir() {
                ahead.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("it lies inside").to_string_lossy().into_owned();
                found.insert(name, fs::read(path).expect("a file is readable"));
            }
        }
    }
    found
}

/// A bundle that may be changed.
pub struct Copy {
    folder: Folder,
    files: Vec<(String, Vec<u8>)>,
}

impl Copy {
    /// The bundle in a folder.
    pub fn of(folder: Folder) -> Self {
        let files = files(folder.path()).into_iter().collect();
        Copy { folder, files }
    }
    /// Another copy of what it was at first.
    pub fn copy(&self) -> Self {
        let folder = Folder::new();
        fs::create_dir_all(folder.path().join("events")).expect("a folder is made");
        for (name, bytes) in &self.files {
            fs::write(folder.path().join(name), bytes).expect("a file is written");
        }
        Copy { folder, files: self.files.clone() }
    }
    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
    /// Its files as they were at first.
    pub fn files(&self) -> &[(String, Vec<u8>)] {
        &self.files
    }
    /// One of them.
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        self.files.iter().find(|(known, _)| known == name).expect("the file is there").1.clone()
    }
    /// Writes a file.
    pub fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path().join(name), bytes).expect("a file is written");
    }
    /// Removes a file.
    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path().join(name)).expect("a file is removed");
    }
}

/// Makes the manifest say what the files are.
pub fn reseal(copy: &Copy) {
    let mut manifest: Value = serde_json::from_slice(&copy.bytes("manifest.json")).expect("the first manifest is JSON");
    for file in manifest["files"].as_array_mut().expect("a manifest lists files") {
        let bytes = fs::read(copy.path().join(file["name"].as_str().expect("a file has a name"))).expect("a file is readable");
        file["bytes"] = json!(bytes.len());
        file["sha256"] = json!(Hash32::of(&bytes));
    }
    write_manifest(copy, &manifest);
}

fn write_manifest(copy: &Copy, manifest: &Value) {
    copy.write("manifest.json", &serde_json_canonicalizer::to_vec(manifest).expect("a manifest is JSON"));
}

/// A bundle that ends one segment earlier and says so.
pub fn shorten(copy: &Copy) {
    let mut manifest: Value = serde_json::from_slice(&copy.bytes("manifest.json")).expect("the first manifest is JSON");
    let files = manifest["files"].as_array_mut().expect("a manifest lists files");
    let last = files.remove(files.len() - 2)["name"].as_str().expect("a file has a name").to_owned();
    copy.remove(&last);
    manifest["size"] = json!(last["events/".len()..].parse::<u64>().expect("a segment is named after a position"));
    write_manifest(copy, &manifest);
}

/// A segment whose records were changed.
pub fn records(segment: &[u8], change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
    let (mut rest, mut records) = (segment, Vec::new());
    while !rest.is_empty() {
        let mut length = 2 + usize::from(u16::from_be_bytes([rest[0], rest[1]]));
        for _ in 0..2 {
            let part: [u8; 4] = rest[length..length + 4].try_into().expect("four bytes");
            length += 4 + u32::from_be_bytes(part) as usize;
        }
        let (record, after) = rest.split_at(length);
        records.push(record.to_vec());
        rest = after;
    }
    change(&mut records);
    records.concat()
}

/// A file of checkpoints whose notes were changed.
pub fn notes(packed: &[u8], change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
    let (mut rest, mut notes) = (packed, Vec::new());
    while !rest.is_empty() {
        let length: [u8; 4] = rest[..4].try_into().expect("four bytes");
        let (note, after) = rest.split_at(4 + u32::from_be_bytes(length) as usize);
        notes.push(note.to_vec());
        rest = after;
    }
    change(&mut notes);
    notes.concat()
}
