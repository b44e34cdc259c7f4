import { z } from 'zod';
import { JsonObject } from './shape.ts';

const part = z.strictObject({
  text: z.string().optional(),
  thought: z.boolean().optional(),
  thoughtSignature: z.string().optional(),
  inlineData: z.strictObject({ mimeType: z.string(), data: z.string() }).optional(),
  fileData: z.json().optional(),
  functionCall: z
    .strictObject({ id: z.string().optional(), name: z.string(), args: JsonObject.optional() })
    .optional(),
  functionResponse: z
    .strictObject({
      id: z.string().optional(),
      name: z.string(),
      response: JsonObject,
      parts: z
        .array(z.strictObject({ inlineData: z.json().optional(), fileData: z.json().optional() }))
        .optional(),
    })
    .optional(),
  executableCode: z.json().optional(),
  codeExecutionResult: z.json().optional(),
});
export type Part = z.infer<typeof part>;
const content = z.strictObject({ role: z.string().optional(), parts: z.array(part) });
export type Content = z.infer<typeof content>;

const declaration = z.strictObject({
  name: z.string(),
  description: z.string().optional(),
  parameters: JsonObject.optional(),
  parametersJsonSchema: JsonObject.optional(),
  response: z.json().optional(),
  responseJsonSchema: z.json().optional(),
  behavior: z.string().optional(),
});

export const GeminiBody = z.strictObject({
  model: z.string().optional(),
  contents: z.array(content).min(1, 'contents is not specified'),
  systemInstruction: z.strictObject({ role: z.string().optional(), parts: z.array(part) }).optional(),
  tools: z
    .array(
      z.strictObject({
        functionDeclarations: z.array(declaration).optional(),
        googleSearch: z.json().optional(),
        codeExecution: z.json().optional(),
        urlContext: z.json().optional(),
      }),
    )
    .optional(),
  toolConfig: z
    .strictObject({
      functionCallingConfig: z
        .strictObject({
          mode: z.enum(['AUTO', 'ANY', 'NONE', 'VALIDATED']).optional(),
          allowedFunctionNames: z.array(z.string()).optional(),
          streamFunctionCallArguments: z.boolean().optional(),
        })
        .optional(),
    })
    .optional(),
  generationConfig: z
    .strictObject({
      maxOutputTokens: z.int().min(1).optional(),
      temperature: z.number().min(0).max(2).optional(),
      topP: z.number().optional(),
      topK: z.number().optional(),
      candidateCount: z.int().optional(),
      stopSequences: z.array(z.string()).optional(),
      seed: z.int().optional(),
      responseMimeType: z.string().optional(),
      responseSchema: z.json().optional(),
      responseJsonSchema: z.json().optional(),
      responseModalities: z.array(z.string()).optional(),
      presencePenalty: z.number().optional(),
      frequencyPenalty: z.number().optional(),
      mediaResolution: z.string().optional(),
      thinkingConfig: z
        .strictObject({
          includeThoughts: z.boolean().optional(),
          thinkingBudget: z.int().min(-1).optional(),
          thinkingLevel: z.enum(['MINIMAL', 'LOW', 'MEDIUM', 'HIGH']).optional(),
        })
        .optional(),
    })
    .optional(),
  safetySettings: z.array(z.json()).optional(),
  cachedContent: z.string().optional(),
  labels: z.json().optional(),
});
export type GeminiBody = z.infer<typeof GeminiBody>;

export const CountBody = z.union([
  z.strictObject({ contents: z.array(content).min(1) }),
  z.strictObject({ generateContentRequest: GeminiBody }),
]);
