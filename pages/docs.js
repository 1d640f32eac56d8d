/* global SwaggerUIBundle */
SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#page',
  presets: [SwaggerUIBundle.presets.apis],
  layout: 'BaseLayout',
  deepLinking: true,
  displayRequestDuration: true,
  // Keys end with the page: who reads its storage later finds none.
  persistAuthorization: false,
  // The document is sent to nobody to be judged.
  validatorUrl: null,
})
