"""Identity and Access Management: users, groups, roles, policies. It keeps and shows them; `identity` asks them."""
