-- A page of the manual as a manual page: the title is its NAME, what stands before the first heading its DESCRIPTION,
-- links to other pages name them, and tables fit.
local page
-- where documents are that are no pages
local installed = {
  ["../README.md"] = "/usr/share/doc/genfic-ca/layout.md",
  ["../genfic-ca.toml"] = "genfic-ca.toml(5)",
  ["../../README.md"] = "/usr/share/doc/genfic-ca/README.md",
  ["../../CHANGELOG.md"] = "/usr/share/doc/genfic-ca/changelog.gz",
  ["../../policy/README.md"] = "/usr/share/doc/genfic-ca/policy.md",
  ["../../policy/certificate-policy.md"] = "/usr/share/doc/genfic-ca/certificate-policy.md",
}

local function lowered(text)
  return (text:gsub("^%u%l", string.lower))
end

local function link(element)
  local target = element.target:gsub("#.*", "")
  local text = pandoc.utils.stringify(element)
  if target == "" then
    return element.content
  end
  local name = target:match("^([%w-]+)%.md$")
  if name then
    name = name == "README" and "genfic-ca-manual" or "genfic-ca-" .. name:lower()
    local named = pandoc.List({ pandoc.Strong(name), pandoc.Str("(7)") })
    if text == target then
      return named
    end
    return pandoc.List(element.content) .. { pandoc.Str(" (") } .. named .. pandoc.List({ pandoc.Str(")") })
  end
  local path = installed[target]
  if path then
    return pandoc.List(element.content) .. { pandoc.Str(" (" .. path .. ")") }
  end
  if target:match("^%a+://") then
    return element
  end
  return element.content
end

-- paths and names in tables may break where they can be read on
local function breakable(element)
  if #element.text < 16 then
    return element
  end
  local parts = pandoc.List()
  for part in (element.text:gsub("::", "::\0"):gsub("([/_])", "%1\0") .. "\0"):gmatch("(%Z+)%z") do
    if #parts > 0 then
      parts:insert(pandoc.RawInline("man", "\\:"))
    end
    parts:insert(pandoc.Code(part))
  end
  return parts
end

local function whole(document)
  local blocks = pandoc.List({ pandoc.RawBlock("man", ".ad l") })
  for _, block in ipairs(document.blocks) do
    if block.t == "Header" and block.level == 1 then
      local title = pandoc.utils.stringify(block)
      local text = lowered(title:match("^[^:]*: (.*)$") or title)
      blocks:insert(pandoc.Header(1, "NAME"))
      blocks:insert(pandoc.Para({ pandoc.Str(page .. " - " .. text) }))
      blocks:insert(pandoc.Header(1, "DESCRIPTION"))
    elseif block.t == "Header" then
      block.level = block.level - 1
      blocks:insert(block)
    else
      blocks:insert(block)
    end
  end
  blocks:insert(pandoc.Header(1, "SEE ALSO"))
  local also = { pandoc.Strong("genfic-ca"), pandoc.Str("(1), "), pandoc.Strong("genfic-ca-manual"), pandoc.Str("(7)") }
  blocks:insert(pandoc.Para(also))
  document.blocks = blocks
  return document
end

return {
  { Meta = function(meta) page = pandoc.utils.stringify(meta.page) end },
  { Link = link },
  { Table = function(element) return pandoc.walk_block(element, { Code = breakable }) end },
  { Pandoc = whole },
}
