import { discordTokens } from './discord-tokens.ts';
import { GITLEAKS, type TokenRule } from './rule.ts';

const GITHUB = 'https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github';
const GITLAB = 'https://docs.gitlab.com/security/tokens/#token-prefixes';
const SLACK = 'https://docs.slack.dev/authentication/tokens';
const SHOPIFY = 'https://shopify.dev/changelog/length-of-the-shopify-access-token-is-increasing';
const STRIPE = 'https://docs.stripe.com/keys';
const OPENAI = 'https://platform.openai.com/docs/api-reference/authentication';
const ANTHROPIC = 'https://docs.anthropic.com/en/api/overview';
const AWS = 'https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html';
const DIGITALOCEAN = 'https://docs.digitalocean.com/reference/api/create-personal-access-token/';
const VAULT = 'https://developer.hashicorp.com/vault/docs/concepts/tokens';
const FLUTTERWAVE = 'https://developer.flutterwave.com/docs/authentication';
const PLANETSCALE = 'https://planetscale.com/docs/api/planetscale-api-oauth-applications';
const DOPPLER = 'https://docs.doppler.com/reference/auth-token-formats';
const SENTRY = 'https://docs.sentry.io/account/auth-tokens/';
const SETTLEMINT = 'https://console.settlemint.com/documentation/';
const EASYPOST = 'https://docs.easypost.com/docs/authentication';

/** Tokens that carry their own mark. A new provider is one line. */
export const TOKENS: readonly TokenRule[] = [
  // models and their hubs
  { provider: 'anthropic-api-key', shape: 'sk-ant-api\\d{2}-[\\w-]{80,120}', source: ANTHROPIC },
  { provider: 'anthropic-admin-api-key', shape: 'sk-ant-admin\\d{2}-[\\w-]{93}AA', examples: true, source: ANTHROPIC },
  { provider: 'anthropic-oauth-token', shape: ['sk-ant-oat\\d{2}-[\\w-]{80,120}', 'sk-ant-ort\\d{2}-[\\w-]{80,120}'], source: ANTHROPIC },
  { provider: 'openai-project-key', shape: 'sk-proj-[\\w-]{48,}', source: OPENAI },
  {
    provider: 'openai-api-key',
    shape: ['sk-svcacct-[\\w-]{48,}', 'sk-admin-[\\w-]{48,}', 'sk-[0-9A-Za-z]{20}T3BlbkFJ[0-9A-Za-z]{20}'],
    source: OPENAI,
  },
  { provider: 'openrouter-api-key', shape: 'sk-or-v1-[0-9a-f]{64}', source: 'https://openrouter.ai/docs/api-reference/authentication' },
  {
    provider: 'langfuse-secret-key',
    shape: 'sk-lf-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}',
    source: 'https://langfuse.com/faq/all/where-are-langfuse-api-keys',
  },
  { provider: 'sk-api-key', shape: ['sk-[0-9a-f]{32}', 'sk-[0-9A-Za-z]{48}'], source: 'https://api-docs.deepseek.com/' },
  { provider: 'groq-api-key', shape: 'gsk_[0-9A-Za-z]{52}', source: 'https://console.groq.com/docs/quickstart' },
  { provider: 'xai-api-key', shape: 'xai-[0-9A-Za-z]{70,}', source: 'https://docs.x.ai/docs/tutorial' },
  { provider: 'perplexity-api-key', shape: 'pplx-[0-9A-Za-z]{48}', source: 'https://docs.perplexity.ai/guides/getting-started' },
  {
    provider: 'huggingface-access-token',
    shape: 'hf_[0-9A-Za-z]{34}',
    cased: true,
    drawn: false,
    entropy: 2,
    source: 'https://huggingface.co/docs/hub/security-tokens',
  },
  {
    provider: 'huggingface-organization-api-token',
    shape: 'api_org_[A-Za-z]{34}',
    cased: true,
    drawn: false,
    entropy: 2,
    source: 'https://huggingface.co/docs/hub/security-tokens',
  },
  { provider: 'replicate-api-token', shape: 'r8_[0-9A-Za-z]{37}', source: 'https://replicate.com/docs/topics/security/api-tokens' },
  { provider: 'pinecone-api-key', shape: 'pcsk_[0-9A-Za-z_]{60,}', source: 'https://docs.pinecone.io/guides/projects/manage-api-keys' },
  {
    provider: 'langsmith-api-key',
    shape: ['lsv2_pt_[0-9a-f]{32}_[0-9a-f]{10}', 'lsv2_sk_[0-9a-f]{32}_[0-9a-f]{10}'],
    source: 'https://docs.langchain.com/langsmith/create-account-api-key',
  },
  { provider: 'tavily-api-key', shape: 'tvly-[0-9A-Za-z-]{32,}', source: 'https://docs.tavily.com/documentation/quickstart' },
  { provider: 'elevenlabs-api-key', shape: 'sk_[0-9a-f]{48}', source: 'https://elevenlabs.io/docs/api-reference/authentication' },
  {
    provider: 'gcp-api-key',
    shape: 'AIza[\\w-]{35}',
    cased: true,
    entropy: 3,
    source: 'https://cloud.google.com/docs/authentication/api-keys',
  },
  { provider: 'google-oauth-client-secret', shape: 'GOCSPX-[\\w-]{28}', source: 'https://developers.google.com/identity/protocols/oauth2' },
  { provider: 'google-oauth-refresh', shape: '1//0[\\w-]{40,}', source: 'https://developers.google.com/identity/protocols/oauth2' },
  { provider: 'google-oauth-access-token', shape: 'ya29\\.[\\w-]{40,}', source: 'https://developers.google.com/identity/protocols/oauth2' },

  // code and its delivery
  { provider: 'github-pat', shape: 'ghp_[0-9A-Za-z]{36}', anywhere: true, entropy: 3, source: GITHUB },
  { provider: 'github-fine-grained-pat', shape: 'github_pat_[0-9A-Za-z_]{82}', anywhere: true, entropy: 3, source: GITHUB },
  { provider: 'github-oauth', shape: 'gho_[0-9A-Za-z]{36}', anywhere: true, entropy: 3, source: GITHUB },
  { provider: 'github-app-token', shape: ['ghu_[0-9A-Za-z]{36}', 'ghs_[0-9A-Za-z]{36}'], anywhere: true, entropy: 3, source: GITHUB },
  { provider: 'github-refresh-token', shape: 'ghr_[0-9A-Za-z]{36}', anywhere: true, entropy: 3, source: GITHUB },
  { provider: 'gitlab-pat-routable', shape: 'glpat-[\\w-]{27,300}\\.[0-9a-z]{9}', source: GITLAB },
  { provider: 'gitlab-pat', shape: 'glpat-[\\w-]{20}', open: true, entropy: 3, source: GITLAB },
  { provider: 'gitlab-cicd-job-token', shape: 'glcbt-[0-9A-Za-z]{1,5}_[\\w-]{20}', open: true, source: GITLAB },
  { provider: 'gitlab-deploy-token', shape: 'gldt-[\\w-]{20}', open: true, source: GITLAB },
  { provider: 'gitlab-feature-flag-client-token', shape: 'glffct-[\\w-]{20}', open: true, source: GITLAB },
  { provider: 'gitlab-feed-token', shape: 'glft-[\\w-]{20}', open: true, source: GITLAB },
  { provider: 'gitlab-incoming-mail-token', shape: 'glimt-[\\w-]{25}', open: true, source: GITLAB },
  { provider: 'gitlab-kubernetes-agent-token', shape: 'glagent-[\\w-]{50}', open: true, source: GITLAB },
  { provider: 'gitlab-oauth-app-secret', shape: 'gloas-[\\w-]{64}', open: true, source: GITLAB },
  { provider: 'gitlab-ptt', shape: 'glptt-[0-9a-f]{40}', source: GITLAB },
  { provider: 'gitlab-rrt', shape: 'GR1348941[\\w-]{20}', open: true, cased: true, source: GITLAB },
  { provider: 'gitlab-runner-authentication-token-routable', shape: 'glrt-t\\d_[\\w-]{27,300}\\.[0-9a-z]{9}', source: GITLAB },
  { provider: 'gitlab-runner-authentication-token', shape: 'glrt-[\\w-]{20}', open: true, source: GITLAB },
  { provider: 'gitlab-scim-token', shape: 'glsoat-[\\w-]{20}', open: true, source: GITLAB },
  { provider: 'gitlab-session-cookie', shape: '_gitlab_session=[0-9a-z]{32}', anywhere: true, source: GITLAB },
  {
    provider: 'bitbucket-app-password',
    shape: 'ATBB[0-9A-Za-z_=.-]{32}',
    cased: true,
    source: 'https://support.atlassian.com/bitbucket-cloud/docs/using-app-passwords/',
  },
  {
    provider: 'atlassian-api-token',
    shape: 'ATATT3[0-9A-Za-z_=-]{186}',
    open: true,
    source: 'https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account/',
  },
  { provider: 'npm-access-token', shape: 'npm_[0-9A-Za-z]{36}', entropy: 2, source: 'https://docs.npmjs.com/about-access-tokens' },
  { provider: 'pypi-upload-token', shape: 'pypi-AgEIcHlwaS5vcmc[\\w-]{50,}', source: 'https://pypi.org/help/#apitoken' },
  { provider: 'rubygems-api-token', shape: 'rubygems_[0-9a-fA-F]{48}', source: 'https://guides.rubygems.org/api-key-scopes/' },
  { provider: 'clojars-api-token', shape: 'CLOJARS_[0-9A-Za-z]{60}', source: 'https://github.com/clojars/clojars-web/wiki/Deploy-Tokens' },
  { provider: 'nuget-api-key', shape: 'oy2[0-9a-z]{43}', source: 'https://learn.microsoft.com/nuget/nuget-org/publish-a-package' },
  {
    provider: 'docker-pat',
    shape: ['dckr_pat_[\\w-]{27}', 'dckr_oat_[\\w-]{32}'],
    source: 'https://docs.docker.com/security/access-tokens/',
  },
  {
    provider: 'artifactory-api-key',
    shape: 'AKCp[0-9A-Za-z]{69}',
    entropy: 4,
    source: 'https://jfrog.com/help/r/jfrog-platform-administration-documentation/api-key',
  },
  {
    provider: 'artifactory-reference-token',
    shape: 'cmVmd[0-9A-Za-z]{59}',
    cased: true,
    entropy: 4,
    source: 'https://jfrog.com/help/r/jfrog-platform-administration-documentation/reference-token',
  },
  {
    provider: 'sourcegraph-access-token',
    shape: ['sgp_local_[0-9a-fA-F]{40}', 'sgp_[0-9a-fA-F]{16}_[0-9a-fA-F]{40}', 'sgp_[0-9a-fA-F]{40}'],
    source: 'https://sourcegraph.com/docs/cli/how-tos/creating_an_access_token',
  },
  {
    provider: 'octopus-deploy-api-key',
    shape: 'API-[0-9A-Z]{26}',
    cased: true,
    source: 'https://octopus.com/docs/octopus-rest-api/how-to-create-an-api-key',
  },
  {
    provider: 'openshift-user-token',
    shape: 'sha256~[\\w-]{43}',
    source: 'https://docs.openshift.com/container-platform/latest/authentication/managing-oauth-access-tokens.html',
  },
  {
    provider: 'hashicorp-tf-api-token',
    shape: '[0-9A-Za-z]{14}\\.atlasv1\\.[0-9A-Za-z=_-]{60,70}',
    source: 'https://developer.hashicorp.com/terraform/cloud-docs/users-teams-organizations/api-tokens',
  },
  {
    provider: 'vault-service-token',
    shape: ['hvs\\.[\\w-]{90,}', ' s\\.[0-9A-Za-z]{24}', '"s\\.[0-9A-Za-z]{24}', "'s\\.[0-9A-Za-z]{24}", '=s\\.[0-9A-Za-z]{24}'],
    anywhere: true,
    entropy: 3.5,
    source: VAULT,
  },
  { provider: 'vault-batch-token', shape: 'hvb\\.[\\w-]{138,}', source: VAULT },
  {
    provider: 'doppler-api-token',
    shape: ['dp\\.pt\\.[0-9A-Za-z]{43}', 'dp\\.st\\.[0-9A-Za-z._-]{40,}', 'dp\\.sa\\.[0-9A-Za-z]{40,}', 'dp\\.ct\\.[0-9A-Za-z]{40,}'],
    source: DOPPLER,
  },
  {
    provider: '1password-secret-key',
    shape: [
      'A3-[0-9A-Z]{6}-[0-9A-Z]{11}-[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}',
      'A3-[0-9A-Z]{6}-[0-9A-Z]{6}-[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}',
    ],
    cased: true,
    entropy: 3.2,
    source: 'https://support.1password.com/secret-key/',
  },
  {
    provider: '1password-service-account-token',
    shape: 'ops_eyJ[0-9A-Za-z+/]{250,}={0,3}',
    open: true,
    source: 'https://developer.1password.com/docs/service-accounts/security/',
  },
  {
    provider: 'age-key',
    shape: 'AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}',
    source: 'https://github.com/FiloSottile/age/blob/main/doc/age-keygen.1.ronn',
  },
  {
    provider: 'pulumi-api-token',
    shape: 'pul-[0-9a-f]{40}',
    source: 'https://www.pulumi.com/docs/administration/access-identity/access-tokens/',
  },
  {
    provider: 'infracost-api-token',
    shape: 'ico-[0-9A-Za-z]{32}',
    entropy: 3,
    source: 'https://www.infracost.io/docs/integrations/environment_variables/',
  },
  {
    provider: 'prefect-api-token',
    shape: ['pnu_[0-9A-Za-z]{36}', 'pnb_[0-9A-Za-z]{36}'],
    entropy: 2,
    source: 'https://docs.prefect.io/v3/how-to-guides/cloud/manage-users/api-keys',
  },
  {
    provider: 'harness-api-key',
    shape: ['pat\\.[\\w-]{22}\\.[0-9A-Za-z]{24}\\.[0-9A-Za-z]{20}', 'sat\\.[\\w-]{22}\\.[0-9A-Za-z]{24}\\.[0-9A-Za-z]{20}'],
    source: 'https://developer.harness.io/docs/platform/automation/api/add-and-manage-api-keys/',
  },
  {
    provider: 'postman-api-token',
    shape: 'PMAK-[0-9a-fA-F]{24}-[0-9a-fA-F]{34}',
    source: 'https://learning.postman.com/docs/developer/postman-api/authentication/',
  },
  { provider: 'readme-api-token', shape: 'rdme_[0-9a-z]{70}', source: 'https://docs.readme.com/main/reference/authentication' },
  { provider: 'scalingo-api-token', shape: 'tk-us-[\\w-]{48}', open: true, source: 'https://developers.scalingo.com/' },
  { provider: 'settlemint-application-access-token', shape: 'sm_aat_[0-9A-Za-z]{16}', source: SETTLEMINT },
  { provider: 'settlemint-personal-access-token', shape: 'sm_pat_[0-9A-Za-z]{16}', source: SETTLEMINT },
  { provider: 'settlemint-service-access-token', shape: 'sm_sat_[0-9A-Za-z]{16}', source: SETTLEMINT },

  // clouds and their machines
  {
    provider: 'aws-access-token',
    shape: ['AKIA[A-Z2-7]{16}', 'ASIA[A-Z2-7]{16}', 'ABIA[A-Z2-7]{16}', 'ACCA[A-Z2-7]{16}', 'A3T[0-9A-Z][A-Z2-7]{16}'],
    cased: true,
    entropy: 3,
    drawn: false,
    companion: /(?<![\w/+])[\w/+]{40}(?![\w/+=])/,
    source: AWS,
  },
  {
    provider: 'aws-amazon-bedrock-api-key-long-lived',
    shape: 'ABSK[0-9A-Za-z+/]{109,269}={0,2}',
    cased: true,
    examples: true,
    source: 'https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-how.html',
  },
  {
    provider: 'aws-amazon-bedrock-api-key-short-lived',
    shape: 'bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t',
    open: true,
    source: 'https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-how.html',
  },
  {
    provider: 'alibaba-access-key-id',
    shape: 'LTAI[0-9A-Za-z]{20}',
    source: 'https://www.alibabacloud.com/help/en/ram/user-guide/create-an-accesskey-pair',
  },
  {
    provider: 'tencent-secret-id',
    shape: 'AKID[0-9A-Za-z]{32}',
    cased: true,
    source: 'https://www.tencentcloud.com/document/product/598/32675',
  },
  ...'0123456789'.split('').map((digit): TokenRule => ({
    provider: 'azure-ad-client-secret',
    shape: `[\\w~.]{3}${digit}Q~[\\w~.-]{31,34}`,
    cased: true,
    entropy: 3,
    source: 'https://learn.microsoft.com/entra/identity-platform/how-to-add-credentials',
  })),
  { provider: 'digitalocean-access-token', shape: 'doo_v1_[0-9a-fA-F]{64}', source: DIGITALOCEAN },
  { provider: 'digitalocean-pat', shape: 'dop_v1_[0-9a-fA-F]{64}', source: DIGITALOCEAN },
  { provider: 'digitalocean-refresh-token', shape: 'dor_v1_[0-9a-fA-F]{64}', source: DIGITALOCEAN },
  {
    provider: 'flyio-access-token',
    shape: ['fo1_[\\w-]{43}', 'fm1[ar]_[0-9A-Za-z+/]{100,}={0,3}', 'fm2_[0-9A-Za-z+/]{100,}={0,3}'],
    entropy: 4,
    source: 'https://fly.io/docs/security/tokens/',
  },
  { provider: 'heroku-api-key-v2', shape: 'HRKU-AA[\\w-]{58}', entropy: 4, source: 'https://devcenter.heroku.com/changelog-items/2915' },
  {
    provider: 'vercel-token',
    shape: ['vcp_[0-9A-Za-z]{56}', 'vci_[0-9A-Za-z]{56}', 'vca_[0-9A-Za-z]{56}'],
    source: 'https://vercel.com/docs/sign-in-with-vercel/tokens',
  },
  {
    provider: 'supabase-access-token',
    shape: ['sbp_[0-9a-f]{40}', 'sb_secret_[\\w-]{31}'],
    source: 'https://supabase.com/docs/guides/api/api-keys',
  },
  {
    provider: 'tailscale-key',
    shape: ['tskey-auth-[\\w-]{20,}', 'tskey-api-[\\w-]{20,}', 'tskey-client-[\\w-]{20,}'],
    source: 'https://tailscale.com/kb/1252/key-secret-management',
  },
  {
    provider: 'cloudflare-origin-ca-key',
    shape: 'v1\\.0-[0-9a-f]{24}-[0-9a-f]{146}',
    source: 'https://developers.cloudflare.com/fundamentals/api/get-started/ca-keys/',
  },
  { provider: 'databricks-api-token', shape: 'dapi[0-9a-f]{32}', source: 'https://docs.databricks.com/aws/en/dev-tools/auth/pat' },
  {
    provider: 'dynatrace-api-token',
    shape: 'dt0c01\\.[0-9A-Za-z]{24}\\.[0-9A-Za-z]{64}',
    source: 'https://docs.dynatrace.com/docs/manage/identity-access-management/access-tokens-and-oauth-clients/access-tokens',
  },
  {
    provider: 'grafana-api-key',
    shape: 'eyJrIjoi[0-9A-Za-z]{70,400}={0,3}',
    source: 'https://grafana.com/docs/grafana/latest/administration/service-accounts/',
  },
  {
    provider: 'grafana-cloud-api-token',
    shape: 'glc_[0-9A-Za-z+/]{32,400}={0,3}',
    source: 'https://grafana.com/docs/grafana-cloud/security-and-account-management/authentication-and-permissions/access-policies/',
  },
  {
    provider: 'grafana-service-account-token',
    shape: 'glsa_[0-9A-Za-z]{32}_[0-9A-Fa-f]{8}',
    entropy: 3,
    source: 'https://grafana.com/docs/grafana/latest/administration/service-accounts/',
  },
  { provider: 'sentry-org-token', shape: 'sntrys_eyJ[0-9A-Za-z+/=_]{80,}', source: SENTRY },
  { provider: 'sentry-user-token', shape: 'sntryu_[0-9a-f]{64}', source: SENTRY },
  {
    provider: 'new-relic-user-api-key',
    shape: 'NRAK-[0-9A-Za-z]{27}',
    source: 'https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/',
  },
  {
    provider: 'new-relic-insert-key',
    shape: 'NRII-[0-9A-Za-z-]{32}',
    source: 'https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/',
  },
  {
    provider: 'new-relic-browser-api-token',
    shape: 'NRJS-[0-9a-fA-F]{19}',
    source: 'https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/',
  },
  { provider: 'clickhouse-cloud-api-secret-key', shape: '4b1d[0-9A-Za-z]{38}', source: 'https://clickhouse.com/docs/cloud/manage/openapi' },
  { provider: 'planetscale-api-token', shape: 'pscale_tkn_[\\w=.-]{32,64}', source: PLANETSCALE },
  { provider: 'planetscale-oauth-token', shape: 'pscale_oauth_[\\w=.-]{32,64}', source: PLANETSCALE },
  { provider: 'planetscale-password', shape: 'pscale_pw_[\\w=.-]{32,64}', source: PLANETSCALE },
  { provider: 'maxmind-license-key', shape: '[0-9A-Za-z]{6}_[0-9A-Za-z]{29}_mmk', source: 'https://dev.maxmind.com/license-key/' },
  {
    provider: 'defined-networking-api-token',
    shape: 'dnkey-[0-9A-Za-z=_-]{26}-[0-9A-Za-z=_-]{52}',
    source: 'https://docs.defined.net/guides/rotating-api-keys/',
  },

  // talk
  { provider: 'slack-app-token', shape: 'xapp-\\d-[0-9A-Za-z]{6,}-\\d{8,}-[0-9A-Za-z]{6,}', open: true, source: SLACK },
  { provider: 'slack-bot-token', shape: 'xoxb-\\d{9,14}-\\d{9,14}[0-9A-Za-z-]{0,60}', open: true, source: SLACK },
  { provider: 'slack-legacy-bot-token', shape: 'xoxb-\\d{8,14}-[0-9A-Za-z]{18,26}', source: SLACK },
  {
    provider: 'slack-user-token',
    shape: ['xoxp-\\d{9,14}-\\d{9,14}-\\d{9,14}-[0-9A-Za-z-]{28,40}', 'xoxe-\\d{9,14}-\\d{9,14}-\\d{9,14}-[0-9A-Za-z-]{28,40}'],
    source: SLACK,
  },
  {
    provider: 'slack-config-access-token',
    shape: ['xoxe\\.xoxp-\\d-[0-9A-Za-z]{140,170}', 'xoxe\\.xoxb-\\d-[0-9A-Za-z]{140,170}'],
    source: SLACK,
  },
  { provider: 'slack-config-refresh-token', shape: 'xoxe-\\d-[0-9A-Za-z]{140,170}', source: SLACK },
  {
    provider: 'slack-legacy-token',
    shape: [
      'xoxs-\\d{5,}-\\d{3,}-\\d{3,}-[0-9a-fA-F]{6,}',
      'xoxo-\\d{5,}-\\d{3,}-\\d{3,}-[0-9a-fA-F]{6,}',
      'xoxo-\\d-\\d-\\d-[0-9a-fA-F]{6,}',
      'xoxs-\\d-\\d-\\d-[0-9a-fA-F]{6,}',
    ],
    source: SLACK,
  },
  {
    provider: 'slack-legacy-workspace-token',
    shape: ['xoxa-\\d-[0-9A-Za-z]{8,48}', 'xoxr-\\d-[0-9A-Za-z]{8,48}', 'xoxa-[0-9A-Za-z]{8,48}', 'xoxr-[0-9A-Za-z]{8,48}'],
    source: SLACK,
  },
  { provider: 'slack-session-token', shape: 'xoxc-\\d{9,14}-\\d{9,14}-\\d{9,14}-[0-9a-f]{64}', source: SLACK },
  {
    provider: 'slack-webhook-url',
    shape: [
      'hooks\\.slack\\.com/services/[\\w/+-]{30,64}',
      'hooks\\.slack\\.com/workflows/[\\w/+-]{30,80}',
      'hooks\\.slack\\.com/triggers/[\\w/+-]{30,80}',
    ],
    source: 'https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks',
  },
  {
    provider: 'discord-webhook-url',
    shape: ['discord\\.com/api/webhooks/\\d{15,20}/[\\w-]{60,80}', 'discordapp\\.com/api/webhooks/\\d{15,20}/[\\w-]{60,80}'],
    source: 'https://discord.com/developers/docs/resources/webhook',
  },
  ...discordTokens,
  ...[8, 9, 10].map((digits): TokenRule => ({
    provider: 'telegram-bot-api-token',
    shape: `\\d{${digits}}:AA[\\w-]{33}`,
    cased: true,
    source: 'https://core.telegram.org/bots/api#authorizing-your-bot',
  })),
  {
    provider: 'microsoft-teams-webhook',
    shape: '\\.webhook\\.office\\.com/webhookb2/[0-9a-zA-Z@/-]{100,}',
    anywhere: true,
    source: 'https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook',
  },
  ...'0123456789abcdefABCDEF'.split('').map((digit): TokenRule => ({
    provider: 'twilio-api-key',
    shape: `SK${digit}[0-9a-fA-F]{31}`,
    cased: true,
    entropy: 3,
    source: 'https://www.twilio.com/docs/iam/api-keys',
  })),
  {
    provider: 'sendgrid-api-token',
    shape: 'SG\\.[\\w=.-]{66}',
    source: 'https://www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys',
  },
  {
    provider: 'sendinblue-api-token',
    shape: 'xkeysib-[0-9a-fA-F]{64}-[0-9A-Za-z]{16}',
    source: 'https://developers.brevo.com/docs/getting-started',
  },
  {
    provider: 'mailgun-private-api-token',
    shape: 'key-[0-9a-fA-F]{32}',
    source: 'https://documentation.mailgun.com/docs/mailgun/user-manual/api-key-mgmt',
  },
  {
    provider: 'mailchimp-api-key',
    shape: '[0-9a-fA-F]{32}-us\\d{1,2}',
    source: 'https://mailchimp.com/developer/marketing/guides/quick-start/',
  },
  {
    provider: 'resend-api-key',
    shape: 're_[0-9A-Za-z]{8}_[0-9A-Za-z]{24}',
    source: 'https://resend.com/docs/dashboard/api-keys/introduction',
  },
  {
    provider: 'facebook-page-access-token',
    shape: ['EAAM[0-9A-Za-z]{100,}', 'EAAC[0-9A-Za-z]{100,}'],
    source: 'https://developers.facebook.com/docs/facebook-login/guides/access-tokens',
  },
  {
    provider: 'meta-access-token',
    shape: 'EAA[0-9A-Za-z]{100,}',
    source: 'https://developers.facebook.com/docs/facebook-login/guides/access-tokens',
  },

  // money, work, things
  {
    provider: 'stripe-access-token',
    shape: [
      'sk_live_[0-9A-Za-z]{10,}',
      'sk_test_[0-9A-Za-z]{10,}',
      'sk_prod_[0-9A-Za-z]{10,}',
      'rk_live_[0-9A-Za-z]{10,}',
      'rk_test_[0-9A-Za-z]{10,}',
      'rk_prod_[0-9A-Za-z]{10,}',
    ],
    drawn: false,
    entropy: 2,
    source: STRIPE,
  },
  { provider: 'stripe-webhook', shape: 'whsec_[0-9A-Za-z+/=]{32,64}', source: 'https://docs.stripe.com/webhooks/signature' },
  {
    provider: 'square-access-token',
    shape: ['EAAA[\\w-]{22,60}', 'sq0atp-[\\w-]{22,60}', 'sq0csp-[\\w-]{43}'],
    cased: true,
    source: 'https://developer.squareup.com/docs/build-basics/access-tokens',
  },
  {
    provider: 'razorpay-key',
    shape: ['rzp_live_[0-9A-Za-z]{14}', 'rzp_test_[0-9A-Za-z]{14}'],
    source: 'https://razorpay.com/docs/payments/dashboard/account-settings/api-keys/',
  },
  { provider: 'flutterwave-encryption-key', shape: 'FLWSECK_TEST-[0-9a-hA-H]{12}', source: FLUTTERWAVE },
  { provider: 'flutterwave-secret-key', shape: ['FLWSECK_TEST-[0-9a-hA-H]{32}-X', 'FLWSECK-[0-9a-hA-H]{32}-X'], source: FLUTTERWAVE },
  {
    provider: 'flutterwave-public-key',
    shape: ['FLWPUBK_TEST-[0-9a-hA-H]{32}-X', 'FLWPUBK-[0-9a-hA-H]{32}-X'],
    identifier: true,
    source: FLUTTERWAVE,
  },
  { provider: 'shopify-access-token', shape: 'shpat_[0-9a-fA-F]{32}', source: SHOPIFY },
  { provider: 'shopify-custom-access-token', shape: 'shpca_[0-9a-fA-F]{32}', source: SHOPIFY },
  { provider: 'shopify-private-app-access-token', shape: 'shppa_[0-9a-fA-F]{32}', source: SHOPIFY },
  { provider: 'shopify-shared-secret', shape: 'shpss_[0-9a-fA-F]{32}', source: SHOPIFY },
  {
    provider: 'shippo-api-token',
    shape: ['shippo_live_[0-9a-fA-F]{40}', 'shippo_test_[0-9a-fA-F]{40}'],
    source: 'https://docs.goshippo.com/docs/guides_general/authentication/',
  },
  { provider: 'easypost-api-token', shape: 'EZAK[0-9A-Za-z]{54}', source: EASYPOST },
  { provider: 'easypost-test-api-token', shape: 'EZTK[0-9A-Za-z]{54}', source: EASYPOST },
  {
    provider: 'duffel-api-token',
    shape: ['duffel_test_[\\w=-]{43}', 'duffel_live_[\\w=-]{43}'],
    source: 'https://duffel.com/docs/api/overview/authentication',
  },
  {
    provider: 'gocardless-api-token',
    shape: 'live_[\\w=-]{40}',
    source: 'https://developer.gocardless.com/getting-started/api/making-your-first-request/',
  },
  { provider: 'lob-api-key', shape: ['live_[0-9a-fA-F]{35}', 'test_[0-9a-fA-F]{35}'], source: 'https://docs.lob.com/#tag/Authentication' },
  {
    provider: 'lob-pub-api-key',
    shape: ['live_pub_[0-9a-fA-F]{31}', 'test_pub_[0-9a-fA-F]{31}'],
    identifier: true,
    source: 'https://docs.lob.com/#tag/Authentication',
  },
  { provider: 'notion-api-token', shape: 'ntn_\\d{11}[0-9A-Za-z]{35}', entropy: 4, source: 'https://developers.notion.com/page/changelog' },
  { provider: 'linear-api-key', shape: 'lin_api_[0-9A-Za-z]{40}', source: 'https://linear.app/developers/graphql' },
  { provider: 'figma-pat', shape: 'figd_[\\w-]{40}', source: 'https://developers.figma.com/docs/rest-api/authentication/' },
  {
    provider: 'airtable-pat',
    shape: 'pat[0-9A-Za-z]{14}\\.[0-9a-f]{64}',
    source: 'https://airtable.com/developers/web/guides/personal-access-tokens',
  },
  {
    provider: 'contentful-pat',
    shape: 'CFPAT-[\\w-]{43}',
    source: 'https://www.contentful.com/developers/docs/references/authentication/',
  },
  {
    provider: 'hubspot-private-app-token',
    shape: [
      'pat-na1-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}',
      'pat-eu1-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}',
    ],
    source: 'https://developers.hubspot.com/docs/guides/apps/private-apps/overview',
  },
  {
    provider: 'adobe-client-secret',
    shape: 'p8e-[0-9A-Za-z-]{32}',
    source: 'https://developer.adobe.com/developer-console/docs/guides/authentication/',
  },
  {
    provider: 'typeform-api-token',
    shape: 'tfp_[\\w=.-]{40,80}',
    source: 'https://www.typeform.com/developers/get-started/personal-access-token/',
  },
  {
    provider: 'frameio-api-token',
    shape: 'fio-u-[\\w=-]{64}',
    open: true,
    source: 'https://developer.frame.io/docs/getting-started/authentication',
  },
  {
    provider: 'mapbox-api-token',
    shape: 'sk\\.eyJ[\\w-]{40,}\\.[\\w-]{22}',
    source: 'https://docs.mapbox.com/help/dive-deeper/access-tokens/',
  },
  {
    provider: 'intra42-client-secret',
    shape: ['s-s4t2ud-[0-9a-fA-F]{64}', 's-s4t2af-[0-9a-fA-F]{64}'],
    source: 'https://api.intra.42.fr/apidoc/guides/getting_started',
  },
  {
    provider: 'authress-service-client-access-key',
    shape: [
      'sc_[0-9A-Za-z]{5,30}\\.[0-9A-Za-z]{4,6}\\.acc[_-][0-9A-Za-z-]{10,32}\\.[\\w+/=-]{30,120}',
      'ext_[0-9A-Za-z]{5,30}\\.[0-9A-Za-z]{4,6}\\.acc[_-][0-9A-Za-z-]{10,32}\\.[\\w+/=-]{30,120}',
      'scauth_[0-9A-Za-z]{5,30}\\.[0-9A-Za-z]{4,6}\\.acc[_-][0-9A-Za-z-]{10,32}\\.[\\w+/=-]{30,120}',
      'authress_[0-9A-Za-z]{5,30}\\.[0-9A-Za-z]{4,6}\\.acc[_-][0-9A-Za-z-]{10,32}\\.[\\w+/=-]{30,120}',
    ],
    source: 'https://authress.io/knowledge-base/docs/authorization/service-clients/',
  },
  { provider: 'pagerduty-key', shape: 'token token=[\\w+-]{20}', source: 'https://developer.pagerduty.com/docs/authentication' },
  { provider: 'jwt-base64', shape: 'ZXlK[\\w/\\\\+\\r\\n-]{50,}={0,2}', cased: true, source: GITLEAKS },
  { provider: 'castellan-token', shape: 'castellan_[\\w-]{32,}', source: 'src/domain/owner/tokens.ts' },
];
