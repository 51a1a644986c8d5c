"""The e-licence library: identifiers, metadata, faces, issuing, keeping."""
