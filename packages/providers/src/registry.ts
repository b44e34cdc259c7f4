import type { Vendor } from './vendor.ts';
import { anthropic } from './vendors/anthropic/anthropic.ts';
import { gemini } from './vendors/gemini/gemini.ts';
import { createOllama, type OllamaOptions } from './vendors/ollama/ollama.ts';
import { openai } from './vendors/openai/openai.ts';
import { type CompatibleOptions, createCompatible } from './vendors/openai-chat/compatible.ts';
import { openaiChat } from './vendors/openai-chat/openai-chat.ts';

export interface VendorOptions {
  readonly ollama?: OllamaOptions;
  readonly compatible?: CompatibleOptions;
}

/** Every vendor, in the order people are shown them. A new one is one line here. */
export const createVendors = (options: VendorOptions = {}): readonly Vendor[] => [
  anthropic,
  openai,
  openaiChat,
  gemini,
  createOllama(options.ollama),
  createCompatible(options.compatible),
];
