import geminiCliApikeyNode20 from './profiles/gemini-cli-apikey.node20.json' with { type: 'json' };
import geminiCliApikeyNode24 from './profiles/gemini-cli-apikey.node24.json' with { type: 'json' };
import geminiCliOauthGenerateContent from './profiles/gemini-cli-oauth-generateContent.json' with {
  type: 'json',
};
import geminiCliOauthListExperiments from './profiles/gemini-cli-oauth-listExperiments.json' with {
  type: 'json',
};
import geminiCliOauthLoadCodeAssist from './profiles/gemini-cli-oauth-loadCodeAssist.json' with {
  type: 'json',
};
import geminiCliOauthOnboardUser from './profiles/gemini-cli-oauth-onboardUser.json' with { type: 'json' };
import geminiCliOauthRetrieveUserQuota from './profiles/gemini-cli-oauth-retrieveUserQuota.json' with {
  type: 'json',
};
import geminiCliOauthStreamGenerateContent from './profiles/gemini-cli-oauth-streamGenerateContent.json' with {
  type: 'json',
};
import geminiCliOauthTokenExchangeUsercode from './profiles/gemini-cli-oauth-token-exchange-usercode.json' with {
  type: 'json',
};
import geminiCliOauthTokenRefresh from './profiles/gemini-cli-oauth-token-refresh.json' with { type: 'json' };
import geminiCliOauthTokeninfo from './profiles/gemini-cli-oauth-tokeninfo.json' with { type: 'json' };
import geminiCliOauthUserinfo from './profiles/gemini-cli-oauth-userinfo.json' with { type: 'json' };
import llxprtAnthropicApikeyBun from './profiles/llxprt-anthropic-apikey.bun.json' with { type: 'json' };
import llxprtAnthropicApikeyNode24 from './profiles/llxprt-anthropic-apikey.node24.json' with {
  type: 'json',
};
import llxprtAnthropicApikeyCustomBaseurlBun from './profiles/llxprt-anthropic-apikey-custom-baseurl.bun.json' with {
  type: 'json',
};
import llxprtAnthropicOauthBun from './profiles/llxprt-anthropic-oauth.bun.json' with { type: 'json' };
import llxprtAnthropicOauthNode24 from './profiles/llxprt-anthropic-oauth.node24.json' with { type: 'json' };
import llxprtAnthropicOauthTokenExchangeBun from './profiles/llxprt-anthropic-oauth-token-exchange.bun.json' with {
  type: 'json',
};
import llxprtAnthropicOauthTokenExchangeNode24 from './profiles/llxprt-anthropic-oauth-token-exchange.node24.json' with {
  type: 'json',
};
import llxprtAnthropicOauthTokenRefreshBun from './profiles/llxprt-anthropic-oauth-token-refresh.bun.json' with {
  type: 'json',
};
import llxprtAnthropicOauthTokenRefreshNode24 from './profiles/llxprt-anthropic-oauth-token-refresh.node24.json' with {
  type: 'json',
};
import llxprtCodexDevicePollBun from './profiles/llxprt-codex-device-poll.bun.json' with { type: 'json' };
import llxprtCodexDevicePollNode24 from './profiles/llxprt-codex-device-poll.node24.json' with {
  type: 'json',
};
import llxprtCodexDeviceTokenExchangeBun from './profiles/llxprt-codex-device-token-exchange.bun.json' with {
  type: 'json',
};
import llxprtCodexDeviceTokenExchangeNode24 from './profiles/llxprt-codex-device-token-exchange.node24.json' with {
  type: 'json',
};
import llxprtCodexDeviceUsercodeBun from './profiles/llxprt-codex-device-usercode.bun.json' with {
  type: 'json',
};
import llxprtCodexDeviceUsercodeNode24 from './profiles/llxprt-codex-device-usercode.node24.json' with {
  type: 'json',
};
import llxprtCodexOauthResponsesHttpBun from './profiles/llxprt-codex-oauth-responses-http.bun.json' with {
  type: 'json',
};
import llxprtCodexOauthResponsesHttpNode24 from './profiles/llxprt-codex-oauth-responses-http.node24.json' with {
  type: 'json',
};
import llxprtCodexOauthResponsesWebsocketBun from './profiles/llxprt-codex-oauth-responses-websocket.bun.json' with {
  type: 'json',
};
import llxprtCodexOauthTokenExchangeBun from './profiles/llxprt-codex-oauth-token-exchange.bun.json' with {
  type: 'json',
};
import llxprtCodexOauthTokenExchangeNode24 from './profiles/llxprt-codex-oauth-token-exchange.node24.json' with {
  type: 'json',
};
import llxprtCodexOauthTokenRefreshBun from './profiles/llxprt-codex-oauth-token-refresh.bun.json' with {
  type: 'json',
};
import llxprtCodexOauthTokenRefreshNode24 from './profiles/llxprt-codex-oauth-token-refresh.node24.json' with {
  type: 'json',
};
import llxprtGeminiApikeyBun from './profiles/llxprt-gemini-apikey.bun.json' with { type: 'json' };
import llxprtGeminiApikeyNode24 from './profiles/llxprt-gemini-apikey.node24.json' with { type: 'json' };
import llxprtOpenaiChatApikeyBun from './profiles/llxprt-openai-chat-apikey.bun.json' with { type: 'json' };
import llxprtOpenaiChatApikeyNode24 from './profiles/llxprt-openai-chat-apikey.node24.json' with {
  type: 'json',
};
import llxprtOpenaiChatApikeyOrgBun from './profiles/llxprt-openai-chat-apikey-org.bun.json' with {
  type: 'json',
};
import llxprtOpenaiResponsesApikeyBun from './profiles/llxprt-openai-responses-apikey.bun.json' with {
  type: 'json',
};
import llxprtOpenaiResponsesApikeyNode24 from './profiles/llxprt-openai-responses-apikey.node24.json' with {
  type: 'json',
};
import maestroForm from './profiles/maestro-form.json' with { type: 'json' };
import maestroOauthAnthropic from './profiles/maestro-oauth-anthropic.json' with { type: 'json' };
import maestroOauthGemini from './profiles/maestro-oauth-gemini.json' with { type: 'json' };
import maestroOauthOpenai from './profiles/maestro-oauth-openai.json' with { type: 'json' };
import maestroPlain from './profiles/maestro-plain.json' with { type: 'json' };
import maestroSpecAnthropic from './profiles/maestro-spec-anthropic.json' with { type: 'json' };
import maestroSpecOpenai from './profiles/maestro-spec-openai.json' with { type: 'json' };

/** Every profile file of the folder, not yet checked. Imported one by one so that a bundle holds them. */
export const shippedProfiles: readonly unknown[] = [
  geminiCliApikeyNode20,
  geminiCliApikeyNode24,
  geminiCliOauthGenerateContent,
  geminiCliOauthListExperiments,
  geminiCliOauthLoadCodeAssist,
  geminiCliOauthOnboardUser,
  geminiCliOauthRetrieveUserQuota,
  geminiCliOauthStreamGenerateContent,
  geminiCliOauthTokenExchangeUsercode,
  geminiCliOauthTokenRefresh,
  geminiCliOauthTokeninfo,
  geminiCliOauthUserinfo,
  llxprtAnthropicApikeyCustomBaseurlBun,
  llxprtAnthropicApikeyBun,
  llxprtAnthropicApikeyNode24,
  llxprtAnthropicOauthTokenExchangeBun,
  llxprtAnthropicOauthTokenExchangeNode24,
  llxprtAnthropicOauthTokenRefreshBun,
  llxprtAnthropicOauthTokenRefreshNode24,
  llxprtAnthropicOauthBun,
  llxprtAnthropicOauthNode24,
  llxprtCodexDevicePollBun,
  llxprtCodexDevicePollNode24,
  llxprtCodexDeviceTokenExchangeBun,
  llxprtCodexDeviceTokenExchangeNode24,
  llxprtCodexDeviceUsercodeBun,
  llxprtCodexDeviceUsercodeNode24,
  llxprtCodexOauthResponsesHttpBun,
  llxprtCodexOauthResponsesHttpNode24,
  llxprtCodexOauthResponsesWebsocketBun,
  llxprtCodexOauthTokenExchangeBun,
  llxprtCodexOauthTokenExchangeNode24,
  llxprtCodexOauthTokenRefreshBun,
  llxprtCodexOauthTokenRefreshNode24,
  llxprtGeminiApikeyBun,
  llxprtGeminiApikeyNode24,
  llxprtOpenaiChatApikeyOrgBun,
  llxprtOpenaiChatApikeyBun,
  llxprtOpenaiChatApikeyNode24,
  llxprtOpenaiResponsesApikeyBun,
  llxprtOpenaiResponsesApikeyNode24,
  maestroForm,
  maestroOauthAnthropic,
  maestroOauthGemini,
  maestroOauthOpenai,
  maestroPlain,
  maestroSpecAnthropic,
  maestroSpecOpenai,
];
