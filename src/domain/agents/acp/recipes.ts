/** What a recipe is told of the place it starts an agent in. */
export interface AgentPlace {
  /** Base address of the gateway as the agent sees it: `http://127.0.0.1:8799/gateway`. */
  readonly gateway: string;
  /** Virtual token of the session: the only key the agent gets. */
  readonly token: string;
  /** What it asks the gateway for: a tier, or a model's name. */
  readonly model: string;
  /** Its private home, as it sees it. */
  readonly home: string;
  readonly readOnly: boolean;
  /** It runs inside our own sandbox, so that its own would only be in the way. */
  readonly sandboxed: boolean;
}

/** How one agent CLI is brought to speak the Agent Client Protocol (agentclientprotocol.com) with our gateway as its only model. */
export interface Recipe {
  readonly id: 'claude' | 'codex' | 'gemini' | 'opencode' | 'copilot';
  readonly title: string;
  /** The npm package that brings its ACP program, at the version that was tried. */
  readonly install: readonly string[];
  /** Its program, by the names it may have beside npm's other programs; the first that is there counts. */
  readonly programs: readonly [string, ...string[]];
  readonly args: readonly string[];
  /** Folders below its home that must be there. */
  readonly folders: readonly string[];
  env(place: AgentPlace): Readonly<Record<string, string>>;
  /** Vendor fields of `session/new`. */
  meta?(place: Pick<AgentPlace, 'readOnly'>, system: string): Record<string, unknown>;
}

/** Claude Code by its ACP adapter (npmjs.com/package/@agentclientprotocol/claude-agent-acp). */
const claude: Recipe = {
  id: 'claude',
  title: 'Claude Code',
  install: ['@agentclientprotocol/claude-agent-acp@0.100.0'],
  programs: ['claude-agent-acp'],
  args: [],
  folders: ['claude'],
  env: ({ gateway, token, model, home }) => ({
    ANTHROPIC_BASE_URL: gateway,
    ANTHROPIC_API_KEY: token,
    ANTHROPIC_MODEL: model,
    ANTHROPIC_SMALL_FAST_MODEL: 'light',
    CLAUDE_CONFIG_DIR: `${home}/claude`,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    ENABLE_TOOL_SEARCH: 'false', // else tools of MCP servers hide behind a search
    IS_SANDBOX: '1',
  }),
  // only what works on files and commands: its own schedules, web access and sub-workflows are ours to offer
  meta: ({ readOnly }, system) => ({
    systemPrompt: { append: system },
    claudeCode: {
      options: {
        tools: readOnly ? ['Read', 'Grep', 'Glob'] : ['Read', 'Grep', 'Glob', 'Edit', 'Write', 'Bash', 'TodoWrite'],
        settingSources: [],
      },
    },
  }),
};

/** Codex by its ACP adapter (npmjs.com/package/@agentclientprotocol/codex-acp); it speaks OpenAI Responses only. */
const codex: Recipe = {
  id: 'codex',
  title: 'Codex',
  install: ['@agentclientprotocol/codex-acp@2.6.0'],
  programs: ['codex-acp'],
  args: [],
  folders: ['codex'],
  env: ({ gateway, token, model, home, readOnly, sandboxed }) => ({
    CODEX_HOME: `${home}/codex`,
    CASTELLAN_KEY: token,
    MODEL_PROVIDER: 'castellan',
    NO_BROWSER: '1',
    INITIAL_AGENT_MODE: readOnly ? 'read-only' : sandboxed ? 'agent-full-access' : 'workspace-write', // a sandbox within ours cannot be built
    CODEX_CONFIG: JSON.stringify({
      model,
      model_provider: 'castellan',
      web_search: 'disabled',
      features: { multi_agent: false, goals: false, apps: false, browser_use: false, computer_use: false, image_generation: false },
      model_providers: {
        castellan: {
          name: 'Castellan',
          base_url: `${gateway}/v1`,
          wire_api: 'responses',
          env_key: 'CASTELLAN_KEY',
          requires_openai_auth: false,
        },
      },
    }),
  }),
};

/** Gemini CLI (github.com/google-gemini/gemini-cli). */
const gemini: Recipe = {
  id: 'gemini',
  title: 'Gemini CLI',
  install: ['@google/gemini-cli@0.61.0'],
  programs: ['gemini'],
  args: ['--acp'],
  folders: ['.gemini'],
  env: ({ gateway, token, model }) => ({
    GEMINI_API_KEY: token,
    GOOGLE_GEMINI_BASE_URL: gateway,
    GEMINI_MODEL: model,
    GEMINI_CLI_TRUST_WORKSPACE: 'true', // without it MCP servers are dropped silently
    GEMINI_TELEMETRY_ENABLED: 'false',
  }),
};

/** OpenCode (opencode.ai). */
const opencode: Recipe = {
  id: 'opencode',
  title: 'OpenCode',
  install: ['opencode-ai@1.18.33'],
  programs: [`../opencode-${process.platform}-${process.arch}/bin/opencode`, 'opencode'], // npm's own link wants its install script run
  args: ['acp'],
  folders: [],
  env: ({ gateway, token, model, readOnly }) => ({
    OPENCODE_DISABLE_MODELS_FETCH: '1',
    OPENCODE_DISABLE_AUTOUPDATE: '1',
    OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
    OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
    OPENCODE_CONFIG_CONTENT: JSON.stringify({
      provider: {
        castellan: {
          npm: '@ai-sdk/openai-compatible',
          name: 'Castellan',
          options: { baseURL: `${gateway}/v1`, apiKey: token },
          models: { [model]: { name: model } },
        },
      },
      model: `castellan/${model}`,
      small_model: `castellan/${model}`,
      enabled_providers: ['castellan'], // without it a missing key makes it wait for ever
      share: 'disabled',
      autoupdate: false,
      permission: readOnly ? { '*': 'deny', read: 'allow', grep: 'allow', glob: 'allow', list: 'allow' } : { '*': 'ask' },
    }),
  }),
};

/** Copilot CLI (github.com/github/copilot-cli) with a provider of one's own. */
const copilot: Recipe = {
  id: 'copilot',
  title: 'Copilot CLI',
  install: ['@github/copilot@1.0.102'],
  programs: ['copilot'],
  args: ['--acp', '--no-auto-update', '--disable-client-telemetry', '--disable-builtin-mcps', '--no-custom-instructions'],
  folders: ['copilot'],
  env: ({ gateway, token, model, home }) => ({
    COPILOT_HOME: `${home}/copilot`,
    COPILOT_OFFLINE: 'true',
    COPILOT_PROVIDER_BASE_URL: `${gateway}/v1`,
    COPILOT_PROVIDER_API_KEY: token,
    COPILOT_MODEL: model,
    COPILOT_AUTO_UPDATE: 'false',
  }),
};

export const recipes: readonly Recipe[] = [claude, codex, gemini, opencode, copilot];
