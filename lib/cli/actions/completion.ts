import type { Shell } from '../commands/completion.ts';

/** `completion`: a script for a shell. It asks this program on every Tab, so that it never goes out of date. */
export function completionScript(shell: Shell): string {
  return scripts[shell];
}

const scripts: Readonly<Record<Shell, string>> = {
  bash: `# bash completion of cdk8s-workflows
_cdk8s_workflows() {
  local line rest words
  # COMP_WORDS is broken at "=" and ":" too; the line is not.
  read -ra words <<<"\${COMP_LINE:0:COMP_POINT}"
  [[ \${COMP_LINE:0:COMP_POINT} == *[[:space:]] ]] && words+=("")
  local current=\${words[\${#words[@]}-1]}
  rest=\${current%"\${COMP_WORDS[COMP_CWORD]#=}"}
  [[ $rest == *[=:] ]] || rest=
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      compopt -o default 2>/dev/null
    else
      line=\${line%%$'\\t'*}
      [[ $line == *= ]] && compopt -o nospace 2>/dev/null
      COMPREPLY+=("\${line#"$rest"}")
    fi
  done < <(cdk8s-workflows __complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -F _cdk8s_workflows cdk8s-workflows
`,
  zsh: `#compdef cdk8s-workflows
_cdk8s_workflows() {
  local line value files
  local -a candidates
  for line in "\${(@f)$(cdk8s-workflows __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == :files ]]; then
      files=1
    elif [[ -n $line ]]; then
      value=\${line%%$'\\t'*}
      candidates+=("\${value//:/\\\\:}\${\${line#$value}/$'\\t'/:}")
    fi
  done
  (( $#candidates )) && _describe -V 'cdk8s-workflows' candidates -Q
  [[ -n $files ]] && _files
}
if [[ $funcstack[1] == _cdk8s_workflows ]]; then
  _cdk8s_workflows "$@"
else
  compdef _cdk8s_workflows cdk8s-workflows
fi
`,
  fish: `# fish completion of cdk8s-workflows
function __cdk8s_workflows_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l lines (cdk8s-workflows __complete -- $words[2..-1] 2>/dev/null)
  if contains -- :files $lines
    __fish_complete_path (commandline -ct)
  else
    string join \\n -- $lines
  end
end
complete -c cdk8s-workflows -f -a '(__cdk8s_workflows_complete)'
`,
};
